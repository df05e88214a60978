"""What a step makes smaller and how the result is scored, for trainings on ordered clips."""

from __future__ import annotations

from itertools import islice

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor, nn

from pipeline.arrays import Frames, Videos
from pipeline.config.training import MCVDTraining, Model, RNNODETraining
from pipeline.networks.conditional import ConditionalUNet
from pipeline.networks.rnn_ode import RNNODE
from pipeline.training.clips import GIVEN, Clips, Order
from pipeline.training.noise import noise_like
from pipeline.training.objectives import HeldOut, Objective, decibels, diffusion_loss

BLINDING = 4.0
"""A noise level, in grey levels, that leaves nothing to be seen of an image."""

SCORED = 64
"""Clips, at most, on which predictions are scored."""


class _OnClips(Objective):
    """An objective on ordered clips: of `clips` only what is `seen` is trained on, what is held out is for scores."""

    def __init__(self, cfg: Model, frames: Frames, held_out: HeldOut, clips: Clips) -> None:
        self.cfg, self.clips = cfg, clips
        self.frames, self.held_out = frames, held_out

    def at(self, rows: Int[Tensor, "*rows"]) -> Float[Tensor, "*rows channel height width"]:
        """Training frames, by their rows."""
        return self.frames[rows.to(self.frames.device)]

    def error(self, predicted: Float[Tensor, "clip frame ..."], clips: Clips, held_out: bool) -> float:
        """PSNR of predictions of all frames but the given ones, over the held-out or over the training frames."""
        of_interest = (clips.held_out if held_out else clips.seen)[:, GIVEN:]
        rows = clips.rows[:, GIVEN:][of_interest]
        truth = self.held_out[(-1 - rows).to(self.frames.device)] if held_out else self.at(rows)
        return decibels((predicted[of_interest.to(predicted.device)] - truth).square().mean())


class Continuing(_OnClips):
    """Of masked conditional video diffusion (Voleti, Jolicoeur-Martineau, Pal 2022): EDM's loss on the next frames."""

    cfg: MCVDTraining

    def __init__(self, cfg: MCVDTraining, frames: Frames, held_out: HeldOut, order: Order) -> None:
        length = GIVEN + cfg.future
        every = Clips.of(order, length, length)
        super().__init__(cfg, frames, held_out, every)
        self.whole = every.where(every.seen.all(1))
        if not len(self.whole.rows):
            raise ValueError(f"no {length} frames in a row of which none is held out")

    def loss(self, network: nn.Module, generator: Generator) -> Float[Tensor, ""]:
        """Of the frames after the two given ones, which are hidden now and then."""
        chosen = torch.randint(len(self.whole.rows), (self.cfg.batch,), generator=generator)
        clips = self.at(self.whole.rows[chosen])
        hidden = torch.rand(len(clips), 1, 1, 1, generator=generator) < self.cfg.masked
        given = clips[:, :GIVEN].flatten(1, 2) * ~hidden.to(clips.device)
        return diffusion_loss(network, clips[:, GIVEN:].flatten(1, 2), given, self.cfg, generator)

    @torch.no_grad()
    def scores(self, network: nn.Module) -> dict[str, float]:
        """Of the next frames where the noise leaves nothing of them to be seen: of the conditional mean, nearly."""
        assert isinstance(network, ConditionalUNet)
        found = {}
        for name, held_out in (("held_out", True), ("train", False)):
            clips = _some(self.clips, self.clips.held_out.any(1)) if held_out else _some(self.whole, None)
            given = self.at(clips.rows[:, :GIVEN]).flatten(1, 2)
            noise = noise_like(self.at(clips.rows[:, GIVEN:]).flatten(1, 2), Generator().manual_seed(0))
            sigmas = torch.full((len(given), 1, 1, 1), BLINDING, device=given.device)
            predicted = network(sigmas * noise, sigmas, given)
            found[f"psnr_next_{name}"] = self.error(predicted.unflatten(1, (self.cfg.future, -1)), clips, held_out)
        return found


class Predicting(_OnClips):
    """Of the recurrent latent ODE: mean squared error on frames of a clip, from its first two."""

    cfg: RNNODETraining

    def __init__(self, cfg: RNNODETraining, frames: Frames, held_out: HeldOut, order: Order) -> None:
        super().__init__(cfg, frames, held_out, Clips.of(order, GIVEN + cfg.horizon, GIVEN + 1))
        self.seen = self.clips.seen[:, 1:].float()

    def loss(self, network: nn.Module, generator: Generator) -> Float[Tensor, ""]:
        """On `targets` frames of every clip, the last given one and those after it."""
        assert isinstance(network, RNNODE)
        cfg = self.cfg
        chosen = torch.randint(len(self.clips.rows), (cfg.batch,), generator=generator)
        rows = self.clips.rows[chosen]
        times = torch.multinomial(self.seen[chosen], cfg.targets, replacement=True, generator=generator)
        truth = self.at(rows[:, 1:].gather(1, times)).flatten(0, 1)
        with torch.autocast(truth.device.type, torch.bfloat16, enabled=cfg.bfloat16):
            codes = _codes(network, self.at(rows[:, :GIVEN]), int(times.max()))
            wanted = codes[torch.arange(cfg.batch).unsqueeze(1), times].flatten(0, 1)
            predicted = network.decode(wanted)
        return (predicted.float() - truth).square().mean()

    @torch.no_grad()
    def scores(self, network: nn.Module) -> dict[str, float]:
        """Of all frames up to the horizon."""
        assert isinstance(network, RNNODE)
        found = {}
        for name, held_out in (("held_out", True), ("train", False)):
            clips = _some(self.clips, self.clips.held_out.any(1) if held_out else None)
            codes = _codes(network, self.at(clips.rows[:, :GIVEN]), self.cfg.horizon)[:, 1:]
            predicted = network.decode(codes.flatten(0, 1))
            found[f"psnr_{name}"] = self.error(predicted.unflatten(0, codes.shape[:2]), clips, held_out)
        return found


def _codes(network: RNNODE, given: Videos, count: int) -> Float[Tensor, "clip time latent"]:
    """Of the last given frame and of `count` after it."""
    code = network.encode(given)
    return torch.stack([code, *islice(network.walk(code), count)], 1)


def _some(clips: Clips, chosen: Bool[Tensor, " clip"] | None) -> Clips:
    """At most `SCORED` of the chosen clips, evenly spread; all of them if there are fewer."""
    kept = clips if chosen is None else clips.where(chosen)
    every = torch.zeros(len(kept.rows), dtype=torch.bool)
    every[:: -(-len(every) // SCORED)] = True
    return kept.where(every)

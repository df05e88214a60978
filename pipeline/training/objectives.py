"""What a step makes smaller and how the result is scored: all that differs between the kinds of training."""

from __future__ import annotations

import math
from itertools import islice

import torch
from jaxtyping import Bool, Float, Int
from torch import Generator, Tensor, nn

from pipeline.arrays import Frames, Videos
from pipeline.config.training import (
    Diffusion,
    DiffusionTraining,
    MCVDTraining,
    Model,
    ResUNetTraining,
    RNNODETraining,
    UNetTraining,
    VAETraining,
)
from pipeline.denoisers.base import Denoiser
from pipeline.denoisers.network import ConditionalDenoiser, NetworkDenoiser
from pipeline.networks.conditional import ConditionalUNet, Given
from pipeline.networks.rnn_ode import RNNODE
from pipeline.networks.vae import VAE
from pipeline.training.clips import GIVEN, Clips, Order
from pipeline.training.noise import draw_sigmas, noise_like, psnr

LEVELS_255 = (25, 15, 50)
"""Noise levels at which PSNR is recorded, in 1/255; the first is the one a plateau is judged by."""

BLINDING = 4.0
"""A noise level, in grey levels, that leaves nothing to be seen of an image."""

SCORED = 64
"""Clips, at most, on which predictions are scored."""


HeldOut = Float[Tensor, "held_out channel height width"]


class Objective:
    """A loss with its scores.

    `loss` draws a batch and all else that is random from the generator; `scores` is PSNR in dB by name, of a network in
    evaluation mode, the first being the one a plateau is judged by.
    """

    def loss(self, network: nn.Module, generator: Generator) -> Float[Tensor, ""]:
        """The loss on a batch."""
        raise NotImplementedError

    def scores(self, network: nn.Module) -> dict[str, float]:
        """How good the network is."""
        raise NotImplementedError


def objective_of(cfg: Model, frames: Frames, held_out: HeldOut, order: Order | None) -> Objective:
    """The objective of a kind of training.

    Raises:
        ValueError: a training on ordered clips without an order, or without a clip.
    """
    if isinstance(cfg, VAETraining):
        return Autoencoding(cfg, frames, held_out)
    if isinstance(cfg, DiffusionTraining):
        return Diffusing(cfg, frames, held_out)
    if isinstance(cfg, UNetTraining | ResUNetTraining):
        return Denoising(cfg, frames, held_out)
    if order is None:
        raise ValueError(f"{cfg.network} is trained on ordered clips: it needs to know which frames follow one another")
    if isinstance(cfg, MCVDTraining):
        return Continuing(cfg, frames, held_out, order)
    return Predicting(cfg, frames, held_out, order)


class _OnFrames(Objective):
    """An objective on shuffled frames."""

    def __init__(self, cfg: Model, frames: Frames, held_out: HeldOut) -> None:
        self.cfg, self.frames, self.held_out = cfg, frames, held_out

    def batch(self, generator: Generator) -> Frames:
        chosen = torch.randint(len(self.frames), (self.cfg.batch,), generator=generator)
        return self.frames[chosen.to(self.frames.device)]


class Autoencoding(_OnFrames):
    """Of the variational autoencoder."""

    cfg: VAETraining

    def loss(self, network: nn.Module, generator: Generator) -> Float[Tensor, ""]:
        """Reconstruction and divergence."""
        assert isinstance(network, VAE)
        return network.loss(self.batch(generator), self.cfg.divergence_weight, generator)

    @torch.no_grad()
    def scores(self, network: nn.Module) -> dict[str, float]:
        """Of the reconstruction from the mean code."""
        assert isinstance(network, VAE)
        reconstructed = network.decode(network.encode(self.held_out)[0])
        return {"psnr_reconstruction": _psnr((reconstructed - self.held_out).square().mean())}


class Denoising(_OnFrames):
    """Of a blind denoiser: mean squared error on the noise."""

    cfg: UNetTraining | ResUNetTraining

    def loss(self, network: nn.Module, generator: Generator) -> Float[Tensor, ""]:
        """Mean squared error on the noise."""
        cfg, clean = self.cfg, self.batch(generator)
        sigmas = draw_sigmas(cfg.sigma_law, cfg.sigma_max_255 / 255, cfg.batch, generator)
        noise = sigmas.to(clean.device) * noise_like(clean, generator)
        with torch.autocast(clean.device.type, torch.bfloat16, enabled=cfg.bfloat16):
            predicted = network(clean + noise)
        loss: Tensor = (predicted.float() - noise).square().mean()
        return loss

    def scores(self, network: nn.Module) -> dict[str, float]:
        """At three noise levels."""
        return _denoising_scores(network, self)


class Diffusing(_OnFrames):
    """Of a denoiser that is told the noise level: EDM's loss."""

    cfg: DiffusionTraining

    def loss(self, network: nn.Module, generator: Generator) -> Float[Tensor, ""]:
        """See `ConditionalUNet.loss`."""
        return _diffusion_loss(network, self.batch(generator), None, self.cfg, generator)

    def scores(self, network: nn.Module) -> dict[str, float]:
        """At three noise levels."""
        return _denoising_scores(network, self)


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
        return _psnr((predicted[of_interest.to(predicted.device)] - truth).square().mean())


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
        return _diffusion_loss(network, clips[:, GIVEN:].flatten(1, 2), given, self.cfg, generator)

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


def trained_denoiser(network: nn.Module, cfg: Model) -> Denoiser:
    """A trained network as a denoiser; the bias-free UNet is homogeneous.

    Raises:
        TypeError: a network that is no denoiser of single frames.
    """
    network.eval()
    if isinstance(cfg, DiffusionTraining):
        assert isinstance(network, ConditionalUNet)
        median, reach = cfg.sigma_median_255 / 255, math.exp(3 * cfg.sigma_spread)
        return ConditionalDenoiser(network, (median / reach, median * reach))
    if isinstance(cfg, UNetTraining | ResUNetTraining):
        return NetworkDenoiser(
            network, "noise", (0.0, cfg.sigma_max_255 / 255), homogeneous=isinstance(cfg, UNetTraining)
        )
    raise TypeError(f"a network of kind {cfg.network} is no denoiser of single frames")


def _denoising_scores(network: nn.Module, on: _OnFrames) -> dict[str, float]:
    denoiser = trained_denoiser(network, on.cfg)
    seen = on.frames[:: max(1, len(on.frames) // len(on.held_out))]  # of every video
    scores = {f"psnr_held_out_{level}": psnr(denoiser, on.held_out, level / 255) for level in LEVELS_255}
    return scores | {"psnr_train_25": psnr(denoiser, seen, 25 / 255)}


def _diffusion_loss(
    network: nn.Module, clean: Frames, given: Given | None, cfg: Diffusion, generator: Generator
) -> Float[Tensor, ""]:
    assert isinstance(network, ConditionalUNet)
    normal = torch.randn(len(clean), 1, 1, 1, generator=generator).to(clean.device)
    sigmas = cfg.sigma_median_255 / 255 * (cfg.sigma_spread * normal).exp()
    noise = noise_like(clean, generator)
    with torch.autocast(clean.device.type, torch.bfloat16, enabled=cfg.bfloat16):
        return network.loss(clean, noise, sigmas, given)


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


def _psnr(error: Float[Tensor, ""]) -> float:
    return float(-10 * error.log10())

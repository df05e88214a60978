"""Training of the recurrent latent ODE, on ordered clips."""

from __future__ import annotations

from itertools import islice
from typing import ClassVar

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Generator, Tensor, nn

from manex.arrays import Frames, Videos
from manex.datasets.dataset import Order
from manex.networks.rnn_ode import RNNODE
from manex.training.clips import GIVEN, Clips, needed
from manex.training.objective import HeldOut, Objective
from manex.training.on_clips import OnClips, some
from manex.training.settings import TrainingSettings


class RNNODETraining(TrainingSettings):
    """Recurrent encoder, latent neural ODE, decoder; from ordered clips."""

    ordered: ClassVar[bool] = True

    latent: PositiveInt = Field(64, description="dimension in which the ODE runs")
    hidden: PositiveInt = Field(256, description="units of the recurrent cell and of the ODE's layers")
    horizon: PositiveInt = Field(50, description="frames from the last given one to the end of a clip")
    targets: PositiveInt = Field(8, description="frames of a clip that a step compares, drawn at random")
    bfloat16: bool = Field(False, description="mixed precision in the forward and backward pass")

    def build(self, channels: int, size: int) -> RNNODE:
        """The untrained network."""
        return RNNODE(channels, size, self.latent, self.hidden)

    def objective(self, frames: Frames, held_out: HeldOut, order: Order | None) -> Objective:
        """Mean squared error on frames of a clip, from its first two."""
        return Predicting(self, frames, held_out, needed(order, "rnn_ode"))


class Predicting(OnClips[RNNODETraining]):
    """Mean squared error on frames of a clip, from its first two."""

    def __init__(self, cfg: RNNODETraining, frames: Frames, held_out: HeldOut, order: Order) -> None:
        super().__init__(cfg, frames, held_out, Clips.of(order, GIVEN + cfg.horizon, GIVEN + 1))
        self.seen = self.clips.seen[:, 1:].float()

    def loss(self, network: nn.Module, generator: Generator) -> Float[Tensor, ""]:
        """The loss on `targets` frames of every clip, the last given one and later ones."""
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
        """PSNR of all frames up to the horizon."""
        assert isinstance(network, RNNODE)
        found = {}
        for name, held_out in self.parts():
            clips = some(self.clips, self.clips.held_out.any(1) if held_out else None)
            codes = _codes(network, self.at(clips.rows[:, :GIVEN]), self.cfg.horizon)[:, 1:]
            predicted = network.decode(codes.flatten(0, 1))
            found[f"psnr_{name}"] = self.error(predicted.unflatten(0, codes.shape[:2]), clips, held_out)
        return found


def _codes(network: RNNODE, given: Videos, count: int) -> Float[Tensor, "clip time latent"]:
    """The codes of the last given frame and of `count` after it."""
    code = network.encode(given)
    return torch.stack([code, *islice(network.walk(code), count)], 1)

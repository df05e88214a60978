"""What every objective shares: a loss with its scores."""

from __future__ import annotations

from typing import Generic, TypeVar

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from manex.arrays import Frames
from manex.training.settings import TrainingSettings

HeldOut = Float[Tensor, "held_out channel height width"]


class Objective:
    """A loss with its scores.

    `loss` draws a batch and everything else that is random from the generator; `scores` is PSNR in dB by name, of a
    network in evaluation mode. A plateau is judged by the first score.
    """

    def loss(self, network: nn.Module, generator: Generator) -> Float[Tensor, ""]:
        """The loss on a batch."""
        raise NotImplementedError

    def scores(self, network: nn.Module) -> dict[str, float]:
        """The scores of the network."""
        raise NotImplementedError


Cfg = TypeVar("Cfg", bound=TrainingSettings)


class OnFrames(Objective, Generic[Cfg]):
    """An objective on shuffled frames."""

    def __init__(self, cfg: Cfg, frames: Frames, held_out: HeldOut) -> None:
        self.cfg, self.frames, self.held_out = cfg, frames, held_out

    def batch(self, generator: Generator) -> Frames:
        """Frames drawn with replacement."""
        chosen = torch.randint(len(self.frames), (self.cfg.batch,), generator=generator)
        return self.frames[chosen.to(self.frames.device)]

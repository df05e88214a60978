"""What the settings of all trainings share.

A training is one file. It holds one subclass of `TrainingSettings`, whose methods say which network is built, what is
minimised, and what the trained network is good for. It is found by the file's name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt
from torch import nn

from manex.settings import Section

if TYPE_CHECKING:
    from manex.arrays import Frames
    from manex.datasets.dataset import Order
    from manex.training.objective import HeldOut, Objective


class Trainable(Section):
    """Base of everything under `train`: of trainings, and of families of them."""


class TrainingSettings(Trainable):
    """Base of the settings of all trainings.

    Attributes:
        ordered: whether it sees which frames follow one another: more supervision than shuffled frames.
    """

    ordered: ClassVar[bool] = False

    steps: PositiveInt = Field(description="budget, in optimiser steps")
    batch: PositiveInt = 128
    record_every: PositiveInt = Field(100, description="steps between history records (and checkpoints)")
    patience: int = Field(0, ge=0, description="records without gain in held-out PSNR that end training; 0: never")
    ema: float = Field(0.999, ge=0, lt=1, description="decay of the weights' moving average; 0: none")
    seed: int = Field(0, ge=0)
    optimiser: Literal["muon", "adam"] = "muon"
    learning_rate: PositiveFloat = Field(description="of Muon for matrices, or of Adam")
    weight_decay: float = Field(0.0, ge=0, description="of Muon's matrices; delays memorisation")
    decay: Literal["linear", "halving", "flat"] = Field(
        "linear", description="linear: flat, then to zero; halving: 10 times; flat: none"
    )

    def build(self, channels: int, size: int) -> nn.Module:
        """The untrained network, for square frames of `size` pixels."""
        raise NotImplementedError

    def objective(self, frames: Frames, held_out: HeldOut, order: Order | None) -> Objective:
        """What is minimised.

        Args:
            frames: clean frames to train on.
            held_out: clean frames never trained on; there may be none.
            order: which frames follow one another.

        Raises:
            ValueError: ordered clips are needed, and there are none.
        """
        raise NotImplementedError

    def finished(self, network: nn.Module) -> nn.Module:
        """What walks and analyses take: a `Denoiser` if the network denoises single frames, otherwise the network."""
        return network

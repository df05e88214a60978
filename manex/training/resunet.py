"""Training of our residual UNet."""

from __future__ import annotations

from pydantic import Field, PositiveInt

from manex.networks.resunet import ResUNet
from manex.training.denoising import BlindTraining


class ResUNetTraining(BlindTraining):
    """Our residual network."""

    widths: tuple[PositiveInt, ...] = Field((32, 64, 128, 128), min_length=1, description="channels per level")

    def build(self, channels: int, size: int) -> ResUNet:
        """The untrained network."""
        return ResUNet(channels, self.widths)

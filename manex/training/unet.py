"""Training of the paper's bias-free UNet."""

from __future__ import annotations

from pydantic import PositiveInt

from manex.networks.unet import UNet
from manex.training.denoising import BlindTraining


class UNetTraining(BlindTraining):
    """The paper's bias-free network."""

    width: PositiveInt = 64

    @property
    def homogeneous(self) -> bool:
        """It has no bias."""
        return True

    def build(self, channels: int, size: int) -> UNet:
        """The untrained network."""
        return UNet(channels, self.width)

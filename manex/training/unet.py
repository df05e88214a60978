"""Training of the paper's bias-free UNet."""

from __future__ import annotations

from pydantic import PositiveInt

from manex.networks.unet import UNet
from manex.training.denoising import BlindTraining


class UNetTraining(BlindTraining):
    """Settings of the training of the paper's bias-free UNet (Kadkhodaie et al. 2024), a blind denoiser.

    Example:
        >>> from manex import UNetTraining
        >>> cfg = UNetTraining(width=8, steps=1000, learning_rate=0.001, optimiser="adam")
        >>> cfg.homogeneous
        True
    """

    width: PositiveInt = 64

    @property
    def homogeneous(self) -> bool:
        """It has no bias."""
        return True

    def build(self, channels: int, size: int) -> UNet:
        """The untrained network."""
        return UNet(channels, self.width)

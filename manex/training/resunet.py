"""Training of our residual UNet."""

from __future__ import annotations

from pydantic import Field, PositiveInt

from manex.networks.resunet import ResUNet
from manex.training.denoising import BlindTraining


class ResUNetTraining(BlindTraining):
    """Settings of the training of our residual UNet, a blind denoiser.

    Example:
        >>> from manex import ResUNetTraining
        >>> cfg = ResUNetTraining(steps=1000, learning_rate=0.02)
        >>> sum(weights.numel() for weights in cfg.build(channels=1, size=20).parameters()) > 1_000_000
        True
    """

    widths: tuple[PositiveInt, ...] = Field((32, 64, 128, 128), min_length=1, description="channels per level")

    def build(self, channels: int, size: int) -> ResUNet:
        """The untrained network."""
        return ResUNet(channels, self.widths)

"""A denoiser that is given the noise level and, if there are any, earlier frames."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from manex.arrays import Frames
from manex.networks.resunet import ResUNet

SPREAD = 0.25
"""Standard deviation of the pixels that the scaling assumes: EDM's 0.5 for images in [-1, 1]."""

Given = Float[Tensor, "batch given height width"]
"""Earlier frames, one after the other in the channels."""

Sigmas = Float[Tensor, "batch 1 1 1"]


class ConditionalUNet(nn.Module):
    """D(y; sigma, given) = c_skip y + c_out F(c_in y, ln(sigma) / 4, given), EDM's scaling of a residual UNet F.

    With it input and target of F have unit variance at every noise level (Karras et al. 2022, table 1). The noise level
    is a constant image (Zhang, Zuo, Zhang 2018), the given frames are further channels (Voleti et al. 2022, concat).

    Args:
        channels: of the image that is denoised; several frames lie one after the other in the channels.
        widths: of the UNet.
        given: channels of the earlier frames.
    """

    def __init__(self, channels: int = 1, widths: Sequence[int] = (32, 64, 128, 128), given: int = 0) -> None:
        super().__init__()
        self.unet = ResUNet(channels, widths, given + 1)
        self.channels, self.given = channels, given

    def forward(self, noisy: Frames, sigmas: Sigmas, given: Given | None = None) -> Frames:
        """E[u | y, given], u being the clean image.

        Args:
            sigmas: noise level of every image, in grey levels.
            given: clean frames in [0, 1]; all zero where they are not to be used.
        """
        total = (sigmas**2 + SPREAD**2).sqrt()
        level = (sigmas.log() / 4).expand(-1, 1, *noisy.shape[2:])
        read = [noisy / total, level, *([] if given is None else [given])]
        residual: Tensor = self.unet(torch.cat(read, 1))
        return (SPREAD / total) ** 2 * noisy + sigmas * SPREAD / total * residual

    def loss(self, clean: Frames, noise: Frames, sigmas: Sigmas, given: Given | None = None) -> Float[Tensor, ""]:
        """Mean squared error, weighted so that F's error has the same weight at every noise level."""
        error = (self(clean + sigmas * noise, sigmas, given) - clean) / (sigmas * SPREAD)
        loss: Tensor = (error.square() * (sigmas**2 + SPREAD**2)).mean()
        return loss

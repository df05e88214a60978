"""Non-local means: the average of pixels whose surroundings look alike."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from manex.arrays import Frames, Level
from manex.denoisers.base import Denoiser, positive


class NonLocalMeans(Denoiser):
    """D(y)_i = sum_j w_ij y_j / sum_j w_ij with w_ij = exp(-max(d_ij - 2 sigma^2, 0) / (strength sigma)^2).

    d_ij is the mean square difference of the patches about pixels i and j, over all channels (Buades, Coll, Morel
    2005; the correction by 2 sigma^2 from their IPOL article of 2011). Every pixel of the frame is compared with every
    other one at most `reach` rows and columns away; memory grows with the square of the number of pixels.

    Args:
        strength: width of the weights in units of sigma.
        patch: side of a patch, odd.
    """

    def __init__(self, strength: float = 1.5, patch: int = 3, reach: int = 10) -> None:
        super().__init__()
        if patch % 2 == 0:
            raise ValueError(f"patch={patch}: the side of a patch must be odd")
        self.strength = strength
        self.patch = patch
        self.reach = reach
        self.eval()  # nothing to train

    def forward(self, noisy: Frames, sigma: Level) -> Frames:
        """The weighted averages."""
        positive(sigma, "non-local means")
        if isinstance(sigma, Tensor):
            sigma = sigma.flatten(1).unsqueeze(2)
        half = self.patch // 2
        patches = F.unfold(F.pad(noisy, (half,) * 4, mode="reflect"), self.patch)
        square = patches.square().sum(1)
        inner = patches.mT @ patches
        distance = (square[:, :, None] + square[:, None] - 2 * inner) / patches.shape[1]
        exponent = -F.relu(distance - 2 * sigma**2) / (self.strength * sigma) ** 2
        weights = exponent.exp() * self._near(noisy)
        flat = noisy.flatten(2).mT
        mean: Tensor = (weights @ flat) / weights.sum(2, keepdim=True)
        return mean.mT.reshape(noisy.shape)

    def _near(self, noisy: Frames) -> Tensor:
        """1 for pairs of pixels within reach, else 0."""
        height, width = noisy.shape[-2:]
        row = torch.arange(height, device=noisy.device).repeat_interleave(width)
        column = torch.arange(width, device=noisy.device).repeat(height)
        apart = torch.maximum((row[:, None] - row).abs(), (column[:, None] - column).abs())
        return (apart <= self.reach).to(noisy)

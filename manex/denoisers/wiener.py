"""The exact denoiser of a Gaussian prior fitted to frames: PCA with soft thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from manex.arrays import Frames, Level, Vectors
from manex.denoisers.base import Denoiser, positive
from manex.noises.base import Noise
from manex.noises.white import White

if TYPE_CHECKING:
    from manex.datasets.dataset import Dataset


class Wiener(Denoiser):
    """D(y) = m + C (C + sigma^2 S)^-1 (y - m) with the mean m and covariance C of the frames, and S of the noise.

    It is linear: its Jacobian C (C + sigma^2 S)^-1 is the same everywhere, so it knows only one tangent space. It is
    computed on whitened images, where S = I. C is stored there as its eigenvectors of positive variance, at most one
    fewer than there are frames.

    Args:
        frames: what to fit, shape (frame, channel, height, width), at least two.
        noise: the law of the noise.
    """

    mean: Tensor
    axes: Tensor
    variances: Tensor

    def __init__(self, frames: Frames, noise: Noise = White()) -> None:  # noqa: B008 - frozen
        super().__init__()
        self.noise = noise
        if len(frames) < 2:
            raise ValueError(f"{len(frames)} frame(s): a covariance needs at least two")
        flat = noise.whiten(frames.detach().double()).flatten(1)
        _, spread, axes = torch.linalg.svd(flat - flat.mean(0), full_matrices=False)
        kept = spread > spread[0] * 1e-10
        self.register_buffer("mean", frames.detach().mean(0))
        self.register_buffer("axes", axes[kept].to(frames.dtype))
        self.register_buffer("variances", (spread[kept] ** 2 / len(frames)).to(frames.dtype))
        self.eval()  # nothing to train

    @classmethod
    def of(cls, dataset: Dataset, noise: Noise = White()) -> Wiener:  # noqa: B008 - frozen
        """Fit the training frames."""
        return cls(dataset.training_frames, noise)

    def forward(self, noisy: Frames, sigma: Level) -> Frames:
        """E[u | y]."""
        return self.mean + self._shrink(noisy - self.mean, sigma)

    def jacobian_product(self, noisy: Frames, sigma: Level, vectors: Vectors) -> Vectors:
        """J v, the same at every point."""
        if isinstance(sigma, Tensor):
            sigma = sigma.expand(len(vectors), 1, 1, 1).repeat_interleave(vectors.shape[1], 0)
        return self._shrink(vectors.flatten(0, 1), sigma).reshape(vectors.shape)

    def _shrink(self, frames: Frames, sigma: Level) -> Frames:
        """Shrink differences from the mean along the axes of whitened images."""
        positive(sigma, "the Wiener denoiser")
        gains = self.variances / (self.variances + (sigma.flatten(1) if isinstance(sigma, Tensor) else sigma) ** 2)
        shrunk = (self.noise.whiten(frames).flatten(1) @ self.axes.T * gains) @ self.axes
        return self.noise.colour(shrunk.reshape(frames.shape))

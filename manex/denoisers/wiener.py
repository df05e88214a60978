"""The exact denoiser of a Gaussian prior fitted to frames: PCA with soft thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from manex.arrays import Frames, Level, Vectors
from manex.denoisers.base import Denoiser, positive

if TYPE_CHECKING:
    from manex.datasets.dataset import Dataset


class Wiener(Denoiser):
    """D(y) = m + C (C + sigma^2 I)^-1 (y - m) with the mean m and covariance C of the frames.

    Linear: its Jacobian C (C + sigma^2 I)^-1 is the same everywhere, so it knows one tangent space only. C is
    held by its eigenvectors of positive variance, at most one fewer than there are frames.

    Args:
        frames: what to fit, shape (frame, channel, height, width), at least two.
    """

    mean: Tensor
    axes: Tensor
    variances: Tensor

    def __init__(self, frames: Frames) -> None:
        super().__init__()
        if len(frames) < 2:
            raise ValueError(f"{len(frames)} frame(s): a covariance needs at least two")
        flat = frames.detach().flatten(1).double()
        _, spread, axes = torch.linalg.svd(flat - flat.mean(0), full_matrices=False)
        kept = spread > spread[0] * 1e-10
        self.register_buffer("mean", frames.detach().mean(0))
        self.register_buffer("axes", axes[kept].to(frames.dtype))
        self.register_buffer("variances", (spread[kept] ** 2 / len(frames)).to(frames.dtype))
        self.eval()  # nothing to train

    @classmethod
    def of(cls, dataset: Dataset) -> Wiener:
        """Fit the training frames."""
        return cls(dataset.training_frames)

    def forward(self, noisy: Frames, sigma: Level) -> Frames:
        """E[u | y]."""
        level = sigma.flatten(1) if isinstance(sigma, Tensor) else sigma
        return self.mean + self._shrink((noisy - self.mean).flatten(1), level).reshape(noisy.shape)

    def jacobian_product(self, noisy: Frames, sigma: Level, vectors: Vectors) -> Vectors:
        """J v, the same at every point."""
        level = sigma.flatten(1).unsqueeze(2) if isinstance(sigma, Tensor) else sigma
        return self._shrink(vectors.flatten(2), level).reshape(vectors.shape)

    def _shrink(self, flat: Tensor, sigma: Level) -> Tensor:
        positive(sigma, "the Wiener denoiser")
        gains = self.variances / (self.variances + sigma**2)
        return (flat @ self.axes.T * gains) @ self.axes

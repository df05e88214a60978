"""Tikhonov regularisation: the image that is near and smooth."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from manex.arrays import Frames, Level, Vectors
from manex.denoisers.base import Denoiser


class Tikhonov(Denoiser):
    """D(y) = argmin_u |u - y|^2 + strength sigma^2 |grad u|^2, with forward differences and free edges.

    Linear and diagonal in the cosine transform (DCT-II): frequency (i, j) of an image of height h and width w is
    multiplied by 1 / (1 + strength sigma^2 (4 - 2 cos(pi i / h) - 2 cos(pi j / w))). It is the exact denoiser of a
    Gaussian prior with independent differences of variance 1 / strength: it knows no particular images.

    Args:
        strength: inverse variance of neighbouring pixels' difference, in grey levels^-2.
    """

    def __init__(self, strength: float = 15.0) -> None:
        super().__init__()
        self.strength = strength
        self.eval()  # nothing to train

    def forward(self, noisy: Frames, sigma: Level) -> Frames:
        """E[u | y]."""
        rows, columns = (_cosines(n, noisy) for n in noisy.shape[-2:])
        curvature = _curvature(rows)[:, None] + _curvature(columns)
        gains = 1 / (1 + self.strength * sigma**2 * curvature)
        smoothed: Frames = rows.T @ (gains * (rows @ noisy @ columns.T)) @ columns
        return smoothed

    def jacobian_product(self, noisy: Frames, sigma: Level, vectors: Vectors) -> Vectors:
        """J v, the same at every point: D is linear."""
        if isinstance(sigma, Tensor):
            sigma = sigma.repeat_interleave(vectors.shape[1], 0)
        return self.forward(vectors.flatten(0, 1), sigma).reshape(vectors.shape)


def _cosines(n: int, like: Tensor) -> Tensor:
    """The orthonormal DCT-II as a matrix, one frequency per row."""
    index = torch.arange(n, dtype=like.dtype, device=like.device)
    waves: Tensor = torch.cos(math.pi / n * index[:, None] * (index + 0.5)) * (2 / n) ** 0.5
    waves[0] /= 2**0.5
    return waves


def _curvature(waves: Tensor) -> Tensor:
    """Eigenvalues of the second difference for each wave."""
    frequency = torch.arange(len(waves), dtype=waves.dtype, device=waves.device)
    curvature: Tensor = 2 - 2 * torch.cos(math.pi / len(waves) * frequency)
    return curvature

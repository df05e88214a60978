"""A dataset on a circle in the plane of two axes, and linear denoisers whose geometry is known exactly."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from manex.analyses.base import Subject
from manex.datasets.dataset import Dataset
from manex.datasets.manifold import LatentManifold
from manex.denoisers.network import NetworkDenoiser

SIZE = 8
AXES = torch.linalg.qr(torch.randn(64, 64, generator=torch.Generator().manual_seed(4), dtype=torch.float64)).Q.T
"""Orthonormal; the circle is in the plane of the first two, around mid-grey."""


def circle(phases: Tensor) -> Tensor:
    """Frames at some phases, float32."""
    points = torch.stack([phases.cos(), phases.sin()], 1) @ AXES[:2]
    return (0.5 + points).reshape(-1, 1, SIZE, SIZE).float()


def dataset(videos: int = 3, frames: int = 12, held_out: int = 6) -> Dataset:
    """Videos that go once around the circle, from different phases."""
    turn, fine = (2 * math.pi * torch.arange(n, dtype=torch.float64) / n for n in (frames, 240))
    starts = torch.arange(videos, dtype=torch.float64)
    shown = torch.stack([circle(turn + start) for start in starts])
    return Dataset(
        videos=shown,
        frames=shown.flatten(0, 1),
        clip=torch.arange(videos).repeat_interleave(frames),
        held_out=torch.arange(held_out) * 5,
        coordinates=turn,
        manifolds=tuple(LatentManifold(circle(fine + start), fine, 2 * math.pi) for start in starts),
    )


def linear(eigenvalues: Tensor, name: str = "walk", sigma: float = 0.1) -> Subject:
    """D(y) = A y with the given eigenvalues along the first axes and 0 along the others."""
    matrix = AXES[: len(eigenvalues)].T @ torch.diag(eigenvalues.double()) @ AXES[: len(eigenvalues)]

    class Matrix(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.matrix = nn.Parameter(matrix.float())

        def forward(self, noisy: Tensor) -> Tensor:
            return (noisy.flatten(1) @ self.matrix.T).reshape(noisy.shape)

    return Subject(name, f"{name}'s denoiser", NetworkDenoiser(Matrix().eval(), "image"), sigma)

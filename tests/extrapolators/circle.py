"""A manifold known exactly: a travelling wave on 4 x 4 pixels, a circle of radius 1 in the grey range, period 2 pi."""

from __future__ import annotations

import torch
from torch import Tensor

from manex.denoisers.base import Denoiser
from manex.denoisers.mixture import DiracMixture
from manex.extrapolators.base import WalkState

PHASES = 2 * torch.pi * torch.arange(16, dtype=torch.float64) / 16
PLANE = torch.stack([PHASES.cos(), PHASES.sin()]) / 8**0.5
"""Two orthonormal vectors; the circle's centre is mid-grey."""


def point(angle: float | list[float] | Tensor) -> Tensor:
    """The frames at some angles, shape (angle, 1, 4, 4)."""
    angle = torch.as_tensor(angle, dtype=torch.float64).reshape(-1, 1)
    return (0.5 + torch.cat([angle.cos(), angle.sin()], 1) @ PLANE).reshape(-1, 1, 4, 4)


def in_plane(frames: Tensor) -> Tensor:
    return (frames.flatten(1) - 0.5) @ PLANE.T


def angle(frames: Tensor) -> Tensor:
    """The angle of the nearest point of the circle."""
    x = in_plane(frames)
    return torch.atan2(x[:, 1], x[:, 0])


def distance(frames: Tensor) -> Tensor:
    """To the circle."""
    return (frames - point(angle(frames))).flatten(1).norm(dim=1)


def tangent(angle: Tensor) -> Tensor:
    """Unit tangents in the direction of growing angles, shape (angle, 1, 4, 4)."""
    angle = angle.reshape(-1, 1)
    return (torch.cat([-angle.sin(), angle.cos()], 1) @ PLANE).reshape(-1, 1, 4, 4)


def oracle(samples: int = 1000) -> DiracMixture:
    """The exact denoiser of the circle, up to its sampling."""
    return DiracMixture(point(torch.arange(samples, dtype=torch.float64) * 2 * torch.pi / samples))


class Broken(Denoiser):
    """Gives no numbers."""

    def forward(self, noisy: Tensor, sigma: float) -> Tensor:
        return noisy * float("nan")


def steps(walked: list[WalkState], starts: list[float]) -> Tensor:
    """The angle by which every frame advances, shape (frame, video), from the angles of the second given frames."""
    angles = torch.stack([torch.tensor(starts, dtype=torch.float64), *(angle(state.frame) for state in walked)])
    return torch.remainder(angles.diff(dim=0) + torch.pi, 2 * torch.pi) - torch.pi


def cosines(walked: list[WalkState]) -> Tensor:
    """Cosines of the angles between headings and tangents, shape (frame, video)."""
    return torch.stack([(state.heading * tangent(angle(state.frame))).flatten(1).sum(1) for state in walked])

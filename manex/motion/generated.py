"""The flow of a generator on the image plane: exp(t A) u without dispersion, for an A that only moves what it finds."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import grid_sample

from manex.arrays import Frames
from manex.geometry.fields import Local, Positions, grid, host
from manex.geometry.symmetry import Symmetries

_STEPS = 4


class Flow:
    """exp(sum_k t_k A_k) u as a motion of the plane: u read at y(1), y' = m(y), y(0) = x, sampled once.

    A sum over a few neighbours moves high frequencies too slowly, and ever more so as it is applied again; the motion
    of the plane that it stands for (`Local.velocity`) moves all alike.

    Args:
        found: generators among `Local` fields.
        size: height and width of the frames.
    """

    def __init__(self, found: Symmetries, size: tuple[int, int]) -> None:
        assert isinstance(found.fields, Local)
        self.fields, self.found, self.size = found.fields, found, size

    def start(self, batch: int) -> Positions:
        """Every pixel at its place."""
        return grid(*self.size).repeat(batch, 1, 1, 1)

    def advance(self, at: Positions, times: Float[Tensor, "batch field"]) -> Positions:
        """Positions after the times, by Runge and Kutta's fourth order."""
        step = 1 / _STEPS

        def velocity(y: Positions) -> Positions:
            fields = self.fields.velocity(self.found.weights, y, self.size)
            return torch.einsum("bf,fbahw->bahw", times, fields)

        for _ in range(_STEPS):
            a = velocity(at)
            b = velocity(at + step / 2 * a)
            c = velocity(at + step / 2 * b)
            at = at + step / 6 * (a + 2 * b + 2 * c + velocity(at + step * c))
        return at

    def between(self, first: Frames, second: Frames, rounds: int = 6) -> Float[Tensor, "batch field"]:
        """The times that carry each first frame to the second, by Gauss-Newton; pixels read outside do not count."""
        times = torch.zeros(len(first), len(self.found.values), dtype=torch.float64)
        target = host(second)
        for _ in range(rounds):
            at = self.advance(self.start(len(first)), times)
            moved = read(host(first), at)
            inside = _inside(at, self.size)[:, None]
            slopes = (self.found.along(moved) * inside.unsqueeze(1)).flatten(2)
            left = ((target - moved) * inside).flatten(1)
            times = times + torch.linalg.lstsq(slopes.mT, left.unsqueeze(2), driver="gelsd").solution[..., 0]
        return times


def read(frames: Frames, at: Positions) -> Frames:
    """Frames at positions, bilinearly; black is outside."""
    height, width = frames.shape[2:]
    scale = torch.tensor([max(width - 1, 1), max(height - 1, 1)], dtype=torch.float64)
    places = (2 * at.permute(0, 2, 3, 1) / scale - 1).to(frames)
    sampled: Tensor = grid_sample(frames, places, mode="bilinear", padding_mode="zeros", align_corners=True)
    return sampled


def _inside(at: Positions, size: tuple[int, int]) -> Float[Tensor, "batch height width"]:
    height, width = size
    column, row = at.unbind(1)
    return ((column >= 0) & (column <= width - 1) & (row >= 0) & (row <= height - 1)).double()

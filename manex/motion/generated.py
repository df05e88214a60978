"""The flow of a generator on the image plane: exp(t A) u without dispersion, for an A that only moves what it finds."""

from __future__ import annotations

from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.functional import jvp
from torch.nn.functional import avg_pool2d, grid_sample

from manex.arrays import Frames
from manex.geometry.fields import Local, Positions, grid, host
from manex.geometry.symmetry import Symmetries

Times = Float[Tensor, "batch field"]
"""How long each generator acts."""

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

    def advance(self, at: Positions, times: Times) -> Positions:
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

    def between(self, first: Frames, second: Frames, rounds: int = 6, start: Times | None = None) -> Times:
        """The times that carry each first frame to the second, by Gauss-Newton; pixels read outside do not count.

        Args:
            start: times to begin with; None: 0.
        """
        times = torch.zeros(len(first), len(self.found.values), dtype=torch.float64) if start is None else start
        target = host(second)
        for _ in range(rounds):
            at = self.advance(self.start(len(first)), times)
            moved = read(host(first), at)
            inside = _inside(at, self.size)[:, None]
            slopes = (self.found.along(moved) * inside.unsqueeze(1)).flatten(2)
            left = ((target - moved) * inside).flatten(1)
            times = times + torch.linalg.lstsq(slopes.mT, left.unsqueeze(2), driver="gelsd").solution[..., 0]
        return times

    def across(self, first: Frames, second: Frames) -> Times:
        """The same for frames far apart, from coarse to fine: blurred images overlap."""
        side = min(self.size)
        times: Times | None = None
        for radius in (side // 5, side // 10):
            before, after = (avg_pool2d(frames, 2 * radius + 1, 1, radius) for frames in (first, second))
            times = self.between(before, after, start=times)
        return self.between(first, second, start=times)

    def tween(self, first: Frames, second: Frames, times: Times, share: float) -> Frames:
        """The frame `share` of the way: both carried there and faded over, each pixel from those that show it."""
        drawn, whole = torch.zeros_like(first), torch.zeros_like(first)
        for frames, time, weight in ((first, share, 1 - share), (second, share - 1, share)):
            at = self.advance(self.start(len(first)), time * times)
            shows = weight * _inside(at, self.size)[:, None].to(frames)
            drawn, whole = drawn + shows * read(frames, at), whole + shows
        return drawn / whole.clamp(min=1e-6)  # black where neither shows it

    def bracket(self, i: int, j: int) -> tuple[Float[Tensor, " field"], float]:
        """[A_i, A_j] = sum_k c_k A_k + rest, of the motions: (m_i . grad) m_j - (m_j . grad) m_i.

        Returns:
            c, and the share of the bracket's square that is in the rest; 0 where the bracket vanishes.
        """

        def motion(index: int, at: Positions) -> Positions:
            return self.fields.velocity(self.found.weights[index : index + 1], at, self.size)[0]

        home = self.start(1)
        along = [jvp(partial(motion, b), home, motion(a, home))[1] for a, b in ((i, j), (j, i))]
        bracket = (along[0] - along[1]).flatten()
        known = torch.stack([motion(index, home).flatten() for index in range(len(self.found.values))], 1)
        shares: Tensor = torch.linalg.lstsq(known, bracket[:, None]).solution[:, 0]
        size, rest = bracket.square().sum(), (bracket - known @ shares).square().sum()
        return shares, float(rest / size) if size > 1e-12 * known.square().sum() else 0.0


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

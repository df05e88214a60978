"""Denoising in the plane: one step, and many, from noisy points to a curve whose exact denoiser is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from pipeline.figures.style import figure

BLUE, ORANGE = "#0072B2", "#D55E00"


@dataclass(frozen=True, eq=False)
class Ways:
    """What became of noisy points at one level.

    Attributes:
        level: of the noise, in the plane's unit.
        once: where one denoising takes them.
        ways: from the noisy points to the curve.
    """

    level: float
    once: Float[Tensor, "point 2"]
    ways: Float[Tensor, "step point 2"]


def plane_figure(curve: Float[Tensor, "atom 2"], levels: Sequence[Ways]) -> Figure:
    """A panel per level: the density of noisy points in grey, one denoising as lines, the ways of many steps."""
    drawn = figure(2.4 * len(levels), 2.6)
    panels = drawn.subplots(1, len(levels), squeeze=False)[0]
    for axes, found in zip(panels, levels, strict=True):
        _density(axes, curve.numpy(), found.level)
        noisy, once, ways = found.ways[0].numpy(), found.once.numpy(), found.ways.numpy()
        axes.plot(*np.stack([noisy, once]).T.swapaxes(1, 2), color=ORANGE, linewidth=0.5)
        axes.plot(ways[..., 0], ways[..., 1], color=BLUE, linewidth=0.5)
        axes.plot(*once.T, "s", color=ORANGE, markersize=2, label="one denoising")
        axes.plot(*ways[-1].T, "o", color=BLUE, markersize=2, label="many steps")
        axes.set_title(f"noise {found.level:g}", fontsize=8)
        axes.set(xlim=(-2.2, 2.2), ylim=(-2.2, 2.2), aspect="equal", xticks=[], yticks=[])
    panels[0].legend(loc="lower left", frameon=False, fontsize=6)
    return drawn


def _density(axes: Axes, curve: Float[np.ndarray, "atom 2"], level: float) -> None:
    side = np.linspace(-2.2, 2.2, 89)
    grid = np.stack(np.meshgrid(side, side), 2).reshape(-1, 2)
    gap = ((grid[:, None] - curve[::20]) ** 2).sum(2)
    density = np.exp(-gap / (2 * level**2)).mean(1).reshape(len(side), -1)
    axes.imshow(density, extent=(side[0], side[-1]) * 2, origin="lower", cmap="Greys", vmax=density.max() * 2)
    axes.plot(*curve.T, color="#000000", linewidth=0.8)

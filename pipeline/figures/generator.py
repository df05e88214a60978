"""A symmetry found in tangent spaces: its eigenvalues, the motion of the plane, and what it does to images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from pipeline.figures.spectrum import MARKS, TINTS
from pipeline.figures.style import figure

ARROWS = 10
"""On a side, at most."""


def generator_figure(
    frames: Float[Tensor, "frame channel height width"],
    moved: Float[Tensor, "frame channel height width"],
    motion: Float[Tensor, "2 height width"],
    values: Mapping[str, Sequence[float]],
    title: str,
) -> Figure:
    """Left: eigenvalues by source of tangent spaces; middle: the motion over the first frame; right: frames and A u.

    Args:
        moved: A u of each frame, on a scale of its own.
        motion: column and row, in pixels; only directions and ratios count.
    """
    shown = len(frames)
    drawn = figure(6.8, 2.2)
    drawn.suptitle(title, fontsize=8)
    grid = GridSpec(2, 8 + 2 * shown, figure=drawn)
    curve = drawn.add_subplot(grid[:, :4])
    for i, (source, row) in enumerate(values.items()):
        curve.plot(range(1, len(row) + 1), row, f"{MARKS[i % len(MARKS)]}-", color=TINTS[i % len(TINTS)], label=source)
    curve.set(xlabel="k", ylabel="k-th eigenvalue", ylim=(0, 1))
    curve.xaxis.set_major_locator(MaxNLocator(integer=True))
    curve.legend(frameon=False, fontsize=6)
    field = drawn.add_subplot(grid[:, 4:8])
    _image(field, frames[0])
    height, width = motion.shape[1:]
    rows, columns = (np.linspace(0, side - 1, min(ARROWS, side)).round().astype(int) for side in (height, width))
    across, down = motion.numpy()[:, rows[:, None], columns[None]]
    # the image is read at these places: it moves the other way
    field.quiver(columns, rows, -across, -down, angles="xy", color="#E69F00", width=0.008)
    field.set_title("motion", fontsize=7)
    for i in range(shown):
        place = slice(8 + 2 * i, 10 + 2 * i)
        _image(drawn.add_subplot(grid[0, place]), frames[i], "u" if i == 0 else "")
        axes = drawn.add_subplot(grid[1, place])
        change = moved[i].mean(0).numpy()
        reach = float(np.abs(change).max()) or 1.0
        axes.imshow(change, cmap="RdBu_r", vmin=-reach, vmax=reach, interpolation="nearest")
        _bare(axes, "A u" if i == 0 else "")
    return drawn


def _image(axes: Axes, frame: Float[Tensor, "channel height width"], label: str = "") -> None:
    axes.imshow(frame.permute(1, 2, 0).numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    _bare(axes, label)


def _bare(axes: Axes, label: str) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_ylabel(label, fontsize=7, rotation=0, ha="right", va="center")

"""What the denoiser's Jacobian keeps along a walk: its largest eigenvalues, and the first eigenvectors as images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from pipeline.figures.style import figure

TINTS = ("#000000", "#0072B2", "#56B4E9", "#009E73", "#E69F00", "#D55E00", "#CC79A7")
MARKS = "osD^v<>"


def spectrum_figure(
    numbers: Sequence[int],
    frames: Float[Tensor, "frame channel height width"],
    values: Float[Tensor, "frame k"],
    vectors: Float[Tensor, "frame shown channel height width"],
    title: str,
) -> Figure:
    """Left: eigenvalues at each frame; right: one column per frame, the frame above its first eigenvectors.

    Args:
        numbers: of the frames in the walk.
        vectors: red where the image brightens along them, blue where it darkens; colours are averaged.
    """
    shown = vectors.shape[1]
    drawn = figure(6.8, 0.62 * (shown + 1) + 0.5)
    drawn.suptitle(title, fontsize=8)
    grid = GridSpec(shown + 1, len(numbers) + 4, figure=drawn)
    curve = drawn.add_subplot(grid[:, :4])
    for i, (number, row) in enumerate(zip(numbers, values, strict=True)):
        line = f"{MARKS[i % len(MARKS)]}-"
        tint = TINTS[i % len(TINTS)]
        place, label = range(1, len(row) + 1), f"frame {number}"
        curve.plot(place, row.numpy(), line, color=tint, label=label, markersize=3, linewidth=1)
    curve.axhline(0, color="#999999", linewidth=0.5)
    curve.set(xlabel="k", ylabel="k-th eigenvalue of (J + J$^T$)/2")
    curve.xaxis.set_major_locator(MaxNLocator(integer=True))
    curve.legend(frameon=False, fontsize=6)
    for column, number in enumerate(numbers):
        first = drawn.add_subplot(grid[0, 4 + column])
        first.imshow(frames[column].permute(1, 2, 0).numpy(), cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        first.set_title(str(number), fontsize=7)
        _bare(first, "frame" if column == 0 else "")
        for row in range(shown):
            axes = drawn.add_subplot(grid[row + 1, 4 + column])
            image = vectors[column, row].mean(0).numpy()
            reach = float(np.abs(image).max()) or 1.0
            axes.imshow(image, cmap="RdBu_r", vmin=-reach, vmax=reach, interpolation="nearest")
            _bare(axes, str(row + 1) if column == 0 else "")
    return drawn


def _bare(axes: Axes, label: str) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_ylabel(label, fontsize=7, rotation=0, ha="right", va="center")

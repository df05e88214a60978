"""Fig. 3: the path of each method on the latent circle or segment, recovered frame by frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.figures.style import colour, figure, readable

Path = NDArray[np.float64]
Place = Callable[[Path, bool], tuple[Path, Path]]


def paths_figure(truth: Path, period: float | None, unit: str, recovered: Mapping[str, Path]) -> Figure:
    """One panel per method: true frames as blue dots, one arrow per step of the walk.

    Args:
        truth: (frame,) coordinates of the true frames.
        period: of the circle; None draws a segment.
        recovered: (frame,) coordinates by method, from the first given frame on.
    """
    methods = tuple(recovered)
    columns = min(6, len(methods)) if period is not None else 1 + (len(methods) > 6)
    rows = -(-len(methods) // columns)
    drawn = figure(6.8, 1.35 * rows if period is not None else 0.62 * rows + 0.4)
    panels = list(drawn.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
    for axes, method in zip(panels, methods, strict=False):
        place = _on_circle(period) if period is not None else _on_segment(len(recovered[method]))
        _walk(axes, place(truth, True), place(recovered[method], False), colour(method, methods))
        axes.set_title(readable(method), fontsize=7, pad=2)
        axes.set_yticks([])
        if period is None:
            axes.spines["left"].set_visible(False)
        else:
            axes.set(aspect="equal", xlim=(-1.4, 1.4), ylim=(-1.4, 1.4))
            axes.set_axis_off()
    for idle in panels[len(methods) :]:
        idle.set_axis_off()
    if period is None:
        drawn.supxlabel(f"latent coordinate, {unit}; time runs upwards", fontsize=8)
    return drawn


def _walk(axes: Axes, dots: tuple[Path, Path], walk: tuple[Path, Path], tint: str) -> None:
    axes.scatter(*dots, s=3, color="#9ecae1", zorder=1, linewidths=0)
    x, y = walk
    steps = axes.quiver(x[:-1], y[:-1], np.diff(x), np.diff(y), angles="xy", scale_units="xy", scale=1, units="inches")
    steps.set(color=tint, zorder=2)
    steps.width, steps.headwidth = 0.012, 4
    axes.scatter(x[1:2], y[1:2], s=12, color=tint, zorder=3)


def _on_circle(period: float) -> Place:
    def place(coordinates: Path, still: bool) -> tuple[Path, Path]:
        angle = 2 * np.pi * coordinates / period
        radius = np.ones_like(angle) if still else np.linspace(1.06, 1.25, len(angle))
        return radius * np.cos(angle), radius * np.sin(angle)

    return place


def _on_segment(frames: int) -> Place:
    def place(coordinates: Path, still: bool) -> tuple[Path, Path]:
        return coordinates, np.zeros_like(coordinates) if still else np.linspace(0.1, 1, frames)

    return place

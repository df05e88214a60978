"""DTW-SSID against the noise level of the walk, a line per walk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from pipeline.figures.spectrum import MARKS
from pipeline.figures.style import colour, figure, readable


def levels_figure(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], title: str) -> Figure:
    """One panel, both axes logarithmic.

    Args:
        curves: noise levels, in 1/255, and scores, by walk.
    """
    drawn = figure(5.2, 2.8)
    axes = drawn.subplots()
    for mark, (name, (sigmas, scores)) in zip(MARKS * len(curves), curves.items(), strict=False):
        axes.plot(sigmas, scores, f"{mark}-", color=colour(name, tuple(curves)), label=readable(name), markersize=3)
    ticks = sorted({sigma for sigmas, _ in curves.values() for sigma in sigmas})
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="x", labelrotation=60, labelsize=6)
    axes.grid(axis="y", which="both", color="#dddddd", linewidth=0.5)
    axes.set_xlabel("noise level of the walk, 1/255")
    axes.set_ylabel("DTW-SSID, lower is better")
    axes.set_title(title, fontsize=8)
    axes.legend(frameon=False, fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))
    return drawn

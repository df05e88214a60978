"""A sweep as a picture: DTW-SSID of every setting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from pipeline.figures.style import figure, readable

WRITTEN = 150
"""Squares per panel up to which each shows its number."""


def heatmap_figure(table: pd.DataFrame, axes: Sequence[str]) -> Figure:
    """One panel per dataset and method, one square per setting: the mean over seeds of the cells that were done.

    The axis with the most values runs across, all combinations of the others down. A cross marks where every seed
    failed. Darker is better.

    Args:
        table: one row per cell, with columns `dataset`, `method`, `dtw_ssid`, `status` and the axes.
        axes: the settings that vary; a method that does not have one holds no value there.
    """
    run = table[table["status"] != "not run"]
    panels = [
        (f"{key[0]}, {key[1]}", _squares(own, axes)) for key, own in run.groupby(["dataset", "method"], sort=False)
    ]
    widest = max((squares.shape[1] for _, squares in panels), default=1)
    heights = [len(squares) for _, squares in panels] or [1]
    drawn = figure(2.6 + 0.5 * min(widest, 24), 0.5 + sum(0.75 + 0.26 * min(rows, 60) for rows in heights))
    values = run["dtw_ssid"].dropna()
    if values.empty:
        drawn.suptitle("no cell was done", fontsize=8)
        return drawn
    norm = LogNorm(max(values.min(), 1e-4), max(values.max(), 1.01 * values.min(), 1.01e-4))
    places = drawn.subplots(len(panels), 1, squeeze=False, height_ratios=heights)[:, 0]
    for place, (title, squares) in zip(places, panels, strict=True):
        shown = place.imshow(squares, cmap="viridis", norm=norm, aspect="auto")
        place.set_title(readable(title), fontsize=8)
        _label(place, squares)
        _write(place, squares, norm)
    bar = drawn.colorbar(shown, ax=list(places), aspect=30)
    bar.set_label("DTW-SSID, lower is better")
    return drawn


def _squares(own: pd.DataFrame, axes: Sequence[str]) -> pd.DataFrame:
    """Means over seeds, in the order of the grid; NaN if none was done."""
    mine = [axis for axis in axes if own[axis].notna().any()]
    across = max(mine, key=lambda axis: own[axis].nunique(), default=None)
    keys = {
        "down": own.apply(lambda row: ", ".join(f"{readable(a)} {row[a]}" for a in mine if a != across), axis=1),
        "across": own[across].map(str) if across else "",
    }
    named = own.assign(**keys)
    means = named.pivot_table(index="down", columns="across", values="dtw_ssid")
    ordered = means.reindex(index=named["down"].unique(), columns=named["across"].unique())
    return ordered.rename_axis(columns=readable(across) if across else "")


def _label(place: Axes, squares: pd.DataFrame) -> None:
    place.set_xticks(range(squares.shape[1]), list(squares.columns))
    place.set_yticks(range(squares.shape[0]), list(squares.index))
    place.set_xlabel(str(squares.columns.name))
    place.tick_params(length=0)


def _write(place: Axes, squares: pd.DataFrame, norm: LogNorm) -> None:
    """Numbers where they can be read, crosses where nothing was done."""
    for (down, across), value in np.ndenumerate(squares.to_numpy()):
        if np.isnan(value):
            place.text(across, down, "x", ha="center", va="center", fontsize=7)
        elif squares.size <= WRITTEN:
            red, green, blue, _ = colormaps["viridis"](norm(value))
            ink = "black" if 0.3 * red + 0.6 * green + 0.1 * blue > 0.5 else "white"
            place.text(across, down, f"{value:.3f}", ha="center", va="center", fontsize=6, color=ink)

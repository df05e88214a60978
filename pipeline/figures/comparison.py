"""Table 1 as a picture: DTW-SSID of every method with its interval."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter

from pipeline.figures.style import colour, figure, readable


def comparison_figure(table: pd.DataFrame) -> Figure:
    """One panel per dataset, one dot per method on a logarithmic axis, whiskers for the 95 % interval.

    Args:
        table: Table 1, with columns `dataset`, `method`, `dtw_ssid`, `dtw_ssid_low`, `dtw_ssid_high`; a method that was
            not run on a dataset has no row there.
    """
    datasets, methods = (list(table[name].unique()) for name in ("dataset", "method"))
    drawn = figure(max(4.0, 2.7 * len(datasets)), 0.22 * len(methods) + 0.8)
    panels = drawn.subplots(1, len(datasets), sharey=True, squeeze=False)[0]
    for axes, dataset in zip(panels, datasets, strict=True):
        for row in table[table["dataset"] == dataset].itertuples():
            place, tint = methods.index(row.method), colour(row.method, tuple(methods))
            axes.plot([row.dtw_ssid_low, row.dtw_ssid_high], [place, place], color=tint, linewidth=1.5)
            axes.plot(row.dtw_ssid, place, "o", color=tint, markersize=4.5)
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.grid(axis="x", which="both", color="#dddddd", linewidth=0.5)
        axes.set_axisbelow(True)
        axes.set_xlabel("DTW-SSID, lower is better")
        axes.set_title(readable(dataset), fontsize=8)
    panels[0].set_yticks(range(len(methods)), [readable(m) for m in methods])
    panels[0].invert_yaxis()
    return drawn

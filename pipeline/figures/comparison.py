"""Table 1 as a picture: DTW-SSID of every method with its interval."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from pipeline.figures.style import colour, figure


def comparison_figure(table: pd.DataFrame) -> Figure:
    """One panel a dataset, one bar a method on a logarithmic axis, whiskers for the 95 % interval.

    Args:
        table: Table 1, with columns `dataset`, `method`, `dtw_ssid`, `dtw_ssid_low`, `dtw_ssid_high`.
    """
    datasets = list(table["dataset"].unique())
    drawn = figure(3.4 * len(datasets), 2.4)
    panels = drawn.subplots(1, len(datasets), sharey=True, squeeze=False)[0]
    for axes, dataset in zip(panels, datasets, strict=True):
        part = table[table["dataset"] == dataset]
        methods = tuple(part["method"])
        value = part["dtw_ssid"].to_numpy()
        low = (value - part["dtw_ssid_low"].to_numpy()).clip(0)
        high = (part["dtw_ssid_high"].to_numpy() - value).clip(0)
        axes.barh(range(len(methods)), value, color=[colour(m, methods) for m in methods], height=0.6)
        axes.errorbar(value, range(len(methods)), xerr=[low, high], fmt="none", ecolor="#444444", elinewidth=1)
        axes.set_yticks(range(len(methods)), [m.replace("_", " ") for m in methods])
        axes.set_xscale("log")
        axes.set_xlabel("DTW-SSID, lower is better")
        axes.set_title(dataset.replace("_", " "), fontsize=8)
    panels[0].invert_yaxis()
    return drawn

"""How walks and denoisers depend on the number of training digits: from memorisation to generalisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.figures.spectrum import MARKS, TINTS
from pipeline.figures.style import figure, readable

_PSNR = {"psnr": ("digits trained on", "-"), "psnr_videos": ("digits never seen", "--")}


@dataclass(frozen=True, eq=False)
class Curves:
    """What is known of datasets that differ in their number of training digits alone.

    Attributes:
        title: what they share.
        scores: one row per dataset and method: `digits`, `method`, `dtw_ssid`, `dtw_ssid_low`, `dtw_ssid_high`.
        denoisers: one row per dataset and denoiser: `digits`, `denoiser`, `psnr`, `psnr_videos`; may be empty.
    """

    title: str
    scores: pd.DataFrame
    denoisers: pd.DataFrame


def by_digits(data: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, int]]:
    """Those datasets that differ in `train_digits` alone, with that number, by rising numbers; at least two of each.

    Args:
        data: the settings of all datasets.
        names: which of them count.
    """
    groups: dict[str, dict[str, int]] = {}
    for name in names:
        digits = data[name].get("train_digits", 0)
        if digits:
            shared = repr(sorted((key, value) for key, value in data[name].items() if key != "train_digits"))
            groups.setdefault(shared, {})[name] = digits
    found = (dict(sorted(group.items(), key=lambda item: item[1])) for group in groups.values())
    return [group for group in found if len(set(group.values())) > 1]


def generalisation_figure(every: Sequence[Curves]) -> Figure:
    """Above: DTW-SSID of every method, with whiskers for the 95 % interval; below: PSNR of the denoisers."""
    drawn = figure(3.4 * len(every) + 1.2, 4.6)
    above, below = drawn.subplots(2, len(every), sharex="col", sharey="row", squeeze=False, height_ratios=(3, 2))
    methods = list(dict.fromkeys(method for curves in every for method in curves.scores["method"]))
    denoisers = list(dict.fromkeys(name for curves in every for name in curves.denoisers["denoiser"]))
    for curves, walks, psnr in zip(every, above, below, strict=True):
        for method, rows in curves.scores.groupby("method", sort=False):
            _scores(walks, str(method), rows.sort_values("digits"), methods.index(str(method)))
        for denoiser, rows in curves.denoisers.groupby("denoiser", sort=False):
            tint = TINTS[denoisers.index(str(denoiser)) % len(TINTS)]
            for column, (label, dash) in _PSNR.items():
                ordered, words = rows.sort_values("digits"), f"{readable(str(denoiser))}, {label}"
                psnr.plot(ordered["digits"], ordered[column], dash, marker="o", markersize=2.5, color=tint, label=words)
        walks.set_title(readable(curves.title), fontsize=8)
        walks.set_yscale("log")
        psnr.set_xscale("log")
        psnr.set_xlabel("training digits")
        shown = sorted(set(curves.scores["digits"]))
        psnr.set_xticks(shown, [f"{digits:,}" for digits in shown])
        psnr.minorticks_off()
        for axes in (walks, psnr):
            axes.grid(axis="y", which="major", color="#dddddd", linewidth=0.5)
    above[0].set_ylabel("DTW-SSID, lower is better")
    below[0].set_ylabel("PSNR, dB")
    for axes in (above[-1], below[-1]):
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, fontsize=6, handlelength=3.5, loc="upper left", bbox_to_anchor=(1, 1))
    return drawn


def _scores(axes: Axes, method: str, rows: pd.DataFrame, place: int) -> None:
    tint, mark = TINTS[place % len(TINTS)], MARKS[place % len(MARKS)]
    axes.vlines(rows["digits"], rows["dtw_ssid_low"], rows["dtw_ssid_high"], color=tint, linewidth=0.8)
    axes.plot(rows["digits"], rows["dtw_ssid"], mark + "-", color=tint, markersize=4, label=readable(method))

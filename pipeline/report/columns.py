"""The columns of Table 1 and of the table of denoisers, once: name, title, format, and how scores are pooled.

The CSV files have all columns, in this order; Markdown and the page show those with a title.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd


@dataclass(frozen=True)
class Column:
    """One column.

    Attributes:
        title: its heading; "" for a column that only files have.
        form: how a number is printed.
        pooled: how the scores of trials and videos become one number; "" for what is computed otherwise.
        until: the column of the upper bound, for an interval.
    """

    name: str
    title: str = ""
    form: str = ""
    pooled: Literal["mean", "median", ""] = ""
    until: str = ""

    def text(self, row: Mapping[str, Any]) -> str:
        """The cell of a row; what is not known is a dash."""
        value = row.get(self.name)
        if value is None or pd.isna(value):
            return "-"
        return f"[{value:{self.form}}, {row[self.until]:{self.form}}]" if self.until else format(value, self.form)


TABLE1 = (
    Column("dtw_ssid", "DTW-SSID", ".4f"),
    Column("dtw_ssid_sd", "sd", ".4f"),
    Column("dtw_ssid_greedy", "greedy", ".4f", "mean"),
    Column("coverage", "coverage", ".0%", "median"),
    Column("reversals", "reversals", "g", "median"),
    Column("seconds_per_frame"),  # in costs.csv: a time would change the bytes of every run
    Column("trials"),
    Column("videos"),
    Column("dtw_ssid_low", "95 % interval", ".4f", until="dtw_ssid_high"),
    Column("dtw_ssid_high"),
    Column("distance", "distance", ".4f", "mean"),
    Column("stalls", pooled="median"),
    Column("jumps", pooled="median"),
    Column("floors", "x floor", ".1f"),
    Column("residual", "residual", ".2f"),
    Column("residual_spearman"),
)
"""Scores of a method on a dataset."""

DENOISERS = (
    Column("sigma_255", "sigma, 1/255", "g"),
    Column("psnr", "PSNR", ".1f"),
    Column("psnr_videos", "PSNR, videos", ".1f"),
    Column("tangent_angle", "tangent angle", ".1f"),
    Column("retention", "retention", ".2f"),
    Column("asymmetry", "asymmetry", ".2f"),
    Column("effective_dimension", "dimension", ".1f"),
    Column("dtw_ssid", "DTW-SSID", ".4f"),
)
"""What is known of a denoiser, and the score of its walk."""


def shown(columns: tuple[Column, ...]) -> list[Column]:
    """The columns that readers see."""
    return [column for column in columns if column.title]


def header(first: str, columns: tuple[Column, ...]) -> list[str]:
    """The first two lines of a Markdown table."""
    titles = [column.title for column in shown(columns)]
    return [f"| {first} | {' | '.join(titles)} |", "|---|" + "---:|" * len(titles)]


def line(first: str, row: Mapping[str, Any], columns: tuple[Column, ...]) -> str:
    """A line of a Markdown table; a row that was not run gives its reason."""
    visible = shown(columns)
    if isinstance(row.get("not_run"), str) and row["not_run"]:
        return f"| {first} | not run: {row['not_run']} |" + " |" * (len(visible) - 1)
    return f"| {first} | {' | '.join(column.text(row) for column in visible)} |"

"""Table 1 and the paired differences, as the page prints them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from pipeline.metrics.intervals import paired_difference
from pipeline.report.page import Difference, Row

COLUMNS: dict[str, Callable[[Any], str]] = {
    "DTW-SSID": lambda row: f"{row.dtw_ssid:.4f}",
    "sd over trials": lambda row: _number(row.dtw_ssid_sd, ".4f"),
    "95 % interval": lambda row: f"{row.dtw_ssid_low:.4f} to {row.dtw_ssid_high:.4f}",
    "greedy": lambda row: f"{row.dtw_ssid_greedy:.4f}",
    "coverage": lambda row: _number(row.coverage, ".0%"),
    "reversals": lambda row: _number(row.reversals, "g"),
    "distance": lambda row: _number(row.distance, ".4f"),
}


def table_rows(table: pd.DataFrame, informed: Mapping[str, str]) -> list[Row]:
    """The rows of one dataset.

    Args:
        table: Table 1 of that dataset.
        informed: methods out of competition, and what they know.
    """
    fair = table[~table["method"].isin(list(informed))]["dtw_ssid"]
    rows = []
    for row in table.itertuples():
        if isinstance(row.not_run, str):
            rows.append(Row(str(row.method), {}, not_run=str(row.not_run)))
            continue
        cells = {name: told(row) for name, told in COLUMNS.items()}
        aside = informed.get(str(row.method), "")
        rows.append(Row(str(row.method), cells, aside=aside, best=not aside and row.dtw_ssid == fair.min()))
    return rows


def differences(scores: Mapping[str, Float[ndarray, "trial video"]]) -> list[Difference]:
    """Each method against the best of the others, paired by trial and video.

    Args:
        scores: DTW-SSID by method.
    """
    rows = []
    for method, own in scores.items():
        rivals = {name: other for name, other in scores.items() if name != method and other.shape == own.shape}
        if not rivals:
            continue
        rival = min(rivals, key=lambda name: float(rivals[name].mean()))
        found = paired_difference(own, rivals[rival], seed=0)
        verdict = "better" if found.high < 0 else "worse" if found.low > 0 else "no difference told"
        interval = f"{found.low:+.4f} to {found.high:+.4f}"
        rows.append(Difference(method, rival, f"{found.mean:+.4f}", interval, verdict))
    return rows


def _number(value: float, form: str) -> str:
    return "-" if pd.isna(value) else format(value, form)

"""Table 1 and the paired differences, as the page prints them."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from jaxtyping import Float
from numpy import ndarray

from manex.metrics.intervals import paired_difference
from pipeline.report.columns import TABLE1, shown
from pipeline.report.page import Difference, Row
from pipeline.storage.rows import rows_of


def table_rows(table: pd.DataFrame, informed: Mapping[str, str]) -> list[Row]:
    """The rows of one dataset.

    Args:
        table: Table 1 of that dataset.
        informed: methods out of competition, and their extra knowledge.
    """
    fair = table[~table["method"].isin(list(informed))]["dtw_ssid"]
    rows = []
    for row in rows_of(table):
        method = row["method"]
        if row["not_run"]:
            rows.append(Row(method, {}, not_run=row["not_run"]))
            continue
        cells = {column.title: column.text(row) for column in shown(TABLE1)}
        aside = informed.get(method, "")
        rows.append(Row(method, cells, aside=aside, best=not aside and row["dtw_ssid"] == fair.min()))
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
        known = found.low == found.low  # not of a single score
        verdict = (
            "one score"
            if not known
            else "better"
            if found.high < 0
            else "worse"
            if found.low > 0
            else "not significant"
        )
        interval = f"{found.low:+.4f} to {found.high:+.4f}" if known else "-"
        rows.append(Difference(method, rival, f"{found.mean:+.4f}", interval, verdict))
    return rows

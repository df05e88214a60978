"""The report cards of denoisers, as findings.md and the page print them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipeline.report.columns import Column, header, line, shown

CARD = (
    Column("sigma_255", "sigma, 1/255", "g"),
    Column("psnr_train", "PSNR, training", ".1f"),
    Column("psnr", "PSNR, held out", ".1f"),
    Column("identity", "identity", ".2f"),
    Column("asymmetry", "asymmetry", ".2f"),
    Column("eigenvalue_min", "least eigenvalue", ".2f"),
    Column("eigenvalue_max", "largest", ".2f"),
    Column("outside", "outside", ".0%"),
    Column("homogeneity", "homogeneity", ".2f"),
    Column("range", "range", ".1%"),
    Column("idempotence", "idempotence", ".2f"),
    Column("monotone", "monotone", ".0%"),
    Column("orthogonality", "orthogonality", ".2f"),
    Column("level", "level", ".2f"),
    Column("energy", "energy", ".2f"),
    Column("calibration", "calibration", ".2f"),
    Column("sure", "SURE", ".2f"),
    Column("effective_dimension", "dimension", ".1f"),
    Column("note"),
)
NUMBERS = tuple(column.name for column in shown(CARD))
EXACT = "exact: E[x given y]"
IDEAL = {
    "identity": "0",
    "asymmetry": "0",
    "eigenvalue_min": "0 or more",
    "range": "0",
    "orthogonality": "0",
    "energy": "1",
    "calibration": "1",
    "sure": "1",
}
"""What is known of the exact denoiser, whatever the images are."""

Row = Mapping[str, Any]


def card_lines(rows: Sequence[Row]) -> Iterator[str]:
    """A Markdown table of one dataset, with what is missing below it."""
    yield from header("denoiser", CARD)
    yield f"| {EXACT} | {' | '.join(ideal_cells())} |"
    yield from (line(row["denoiser"], row, CARD) for row in rows)
    for note in notes(rows):
        yield f"\n{note}"


def ideal_cells() -> list[str]:
    """The row of the exact denoiser."""
    return [IDEAL.get(column.name, "") for column in shown(CARD)]


def notes(rows: Sequence[Row]) -> list[str]:
    """Why cells are empty, or not to be trusted."""
    return [f"{row['denoiser']} at {row['sigma_255']:g}/255: {row['note']}." for row in rows if row.get("note")]

"""What the denoisers know, as the page shows it: the claims with their verdicts, and the report cards."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.config.params import Params
from pipeline.paths import Paths
from pipeline.report.card import CARD, EXACT, NUMBERS, ideal_cells, notes
from pipeline.report.columns import shown
from pipeline.report.page import Card, Judged
from pipeline.storage.artifacts import read_csv
from pipeline.storage.results import load_analysis
from pipeline.storage.rows import rows_of

TEXT = ("id", "source", "claim", "bound", "verdict", "not_run")


def judged(paths: Paths) -> Iterator[Judged]:
    """The rows of findings.csv; none if the claims were not judged."""
    file = paths.reports / "findings.csv"
    for row in rows_of(read_csv(file, "manex findings", ("value", "low", "high"), TEXT)) if file.is_file() else ():
        run = row["value"] is not None
        yield Judged(
            id=str(row["id"]),
            claim=row["claim"],
            source=row["source"],
            value=f"{row['value']:.3g}" if run else "-",
            interval=f"{row['low']:.3g} to {row['high']:.3g}" if run else "-",
            bound=row["bound"],
            verdict=row["verdict"] if run else f"not run: {row['not_run']}",
        )


def cards(params: Params, paths: Paths) -> Iterator[Card]:
    """The report cards of every dataset."""
    for dataset in params.datasets:
        for analysis in params.analyses:
            if params.analyse.get(dataset, {}).get(analysis, {}).get("kind") != "card":
                continue
            found = load_analysis(dataset, analysis, "card", paths, NUMBERS, ("denoiser",))
            if found is None:
                continue
            rows = rows_of(found)
            lines = [(row["denoiser"], [column.text(row) for column in shown(CARD)]) for row in rows]
            columns = [column.title for column in shown(CARD)]
            yield Card(dataset, columns, [(EXACT, ideal_cells()), *lines], notes(rows))

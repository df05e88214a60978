"""findings: which claims of the literature hold for the denoisers here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import pandas as pd

from pipeline.config.params import Params
from pipeline.findings.base import Tables, all_claims
from pipeline.findings.verdict import Verdict, verdict
from pipeline.paths import Paths
from pipeline.report.card import NUMBERS, card_lines
from pipeline.storage.artifacts import read_csv, write_csv, write_text
from pipeline.storage.origins import check_origins
from pipeline.storage.rows import rows_of
from pipeline.storage.skipped import absence
from pipeline.tracking.record import recorded

COLUMNS = ("id", "source", "claim", "value", "bound", "low", "high", "verdict", "command", "not_run")
NEEDED = {"card": (NUMBERS, ("denoiser",))}
"""Columns of numbers and of names that are printed, by table; the claims see for themselves what they need."""
CAPTION = """
Claims of the literature, each judged by a number from the tables of `manex analyse`. [low, high] is a 95 % bootstrap
interval over images (or what else the claim is about), drawn within each dataset. **holds**: all of it lies within the
bound; **fails**: all of it lies outside; **undecided**: it lies across an end; **not run**: this profile does not
analyse what the claim needs. Bounds were fixed before the first run. docs/findings.md says more.
"""
CAPTION_CARDS = """
How far each denoiser is from E[x|y], on held-out frames. docs/analyses.md explains the columns.
"""


def findings(params: Params, paths: Paths) -> None:
    """Write findings.csv and findings.md among the profile's results. A claim that fails is a result like any other."""
    with recorded(paths, "findings", "", {}) as run:
        tables = _tables(params, paths)
        found = {about: [verdict(claim, tables) for claim in claims] for about, claims in all_claims().items()}
        every = [one for verdicts in found.values() for one in verdicts]
        write_csv(paths.reports / "findings.csv", pd.DataFrame([_row(one) for one in every], columns=list(COLUMNS)))
        lines = [*_markdown(params.profile, found), *_cards(tables)]
        write_text(paths.reports / "findings.md", "\n".join(lines) + "\n")
        run.metrics = {f"claim/{one.claim.id}": one.value for one in every if one.word != "not run"}
        run.files = [paths.reports / f"findings.{kind}" for kind in ("csv", "md")]


def _tables(params: Params, paths: Paths) -> Tables:
    """The tables of all analyses that were run."""
    parts: dict[str, list[pd.DataFrame]] = {}
    commands: dict[tuple[str, str], str] = {}
    for dataset, analysis in product(params.datasets, params.analyses):
        folder, command = paths.analysis(dataset, analysis), f"manex analyse {dataset} {analysis}"
        if absence(folder):
            continue
        check_origins(paths, folder)
        for file in sorted(folder.glob("*.csv")):
            rows = read_csv(file, command, *NEEDED.get(file.stem, ()))
            rows.insert(0, "dataset", dataset)
            parts.setdefault(file.stem, []).append(rows)
            known = commands.get((file.stem, dataset))
            commands[file.stem, dataset] = f"{known}; {command}" if known else command
    return Tables({name: pd.concat(some, ignore_index=True) for name, some in parts.items()}, commands)


def _row(one: Verdict) -> dict[str, Any]:
    claim = one.claim
    return {
        "id": claim.id,
        "source": claim.source,
        "claim": claim.claim,
        "value": one.value,
        "bound": str(claim.bound),
        "low": one.low,
        "high": one.high,
        "verdict": one.word,
        "command": "; ".join(one.commands),
        "not_run": one.reason,
    }


def _markdown(profile: str, found: Mapping[str, Sequence[Verdict]]) -> Iterator[str]:
    yield from (f"# Findings ({profile} profile)", CAPTION)
    for about, verdicts in found.items():
        yield f"\n## {about}\n"
        yield "| claim | | source | value | 95 % interval | bound | verdict | made by |"
        yield "|---|---|---|---:|---:|---|---|---|"
        yield from map(_line, verdicts)


def _cards(tables: Tables) -> Iterator[str]:
    """The report cards, by dataset."""
    if "card" not in tables.all:
        return
    yield from ("\n# Report cards", CAPTION_CARDS)
    for dataset, rows in tables.all["card"].groupby("dataset", sort=False):
        yield from (f"\n## {dataset}\n", *card_lines(rows_of(rows)))


def _line(one: Verdict) -> str:
    claim = one.claim
    start = [claim.id, claim.claim, claim.source]
    if one.word == "not run":
        return _cells(*start, "-", "-", str(claim.bound), f"not run: {one.reason}", "")
    made = "; ".join(f"`{command}`" for command in one.commands)
    interval = f"[{one.low:.3g}, {one.high:.3g}]"
    return _cells(*start, f"{one.value:.3g}", interval, str(claim.bound), f"**{one.word}**", made)


def _cells(*texts: str) -> str:
    """A line of a Markdown table; the bars of a norm are no ends of cells."""
    return f"| {' | '.join(text.replace('|', chr(92) + '|') for text in texts)} |"

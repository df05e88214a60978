"""report: everything on one page, index.html among the profile's results, and provenance.json next to it.

It is not a DVC stage but a view made from what the stages left, like `track sync` and `times`: its commit, machine,
times and hash of dvc.lock change even when no result does, and dvc.lock is complete only when the last stage is done.
The page shows private datasets too: git ignores it.
"""

from __future__ import annotations

import hashlib
import json
import platform
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.config.methods import MethodEntry
from pipeline.config.params import Params
from pipeline.paths import Paths
from pipeline.report.captions import ABOUT, picture_of
from pipeline.report.columns import TABLE1, shown
from pipeline.report.knowledge import cards, judged
from pipeline.report.page import Detail, Report, Section, render
from pipeline.report.sprites import sprite
from pipeline.report.tables import differences, table_rows
from pipeline.storage.artifacts import read_csv, read_json, sha256, write_json, write_text
from pipeline.storage.prepared import load_prepared
from pipeline.storage.results import load_results
from pipeline.storage.skipped import absence
from pipeline.storage.trials import load_trials
from pipeline.tracking.record import commit_of, current_records

TIMES = ("stage", "item", "seconds", "peak_memory_mb", "commit")
"""What the page shows of every record."""
ELSEWHERE = "Not computed here: the rows are those of the committed table. The data are not at hand: {reason}."
"""For a dataset whose rows `table` has kept from an earlier run."""


def report(params: Params, paths: Paths) -> None:
    """Write index.html, and provenance.json unless the one that is there describes these results."""
    _note_provenance(params, paths)
    table = read_csv(paths.reports / "table1.csv", "manex table")
    names = ("walk", "comparison", "generalisation")
    overview = [p for name in names if (p := picture_of(paths.figures / f"{name}.svg"))]
    page = Report(
        profile=params.profile,
        sections=[_section(dataset, params, paths, table) for dataset in params.datasets],
        pictures=overview,
        columns=[column.title for column in shown(TABLE1)],
        settings=_settings(paths.params),
        provenance=_provenance(params, paths),
        times=[[f"{r.get(name, '')}" for name in TIMES] for r in current_records(paths)],
        absent=_absent(params, paths),
        claims=list(judged(paths)),
        cards=list(cards(params, paths)),
    )
    write_text(paths.page, render(page))


def _note_provenance(params: Params, paths: Paths) -> None:
    settings = json.dumps(params.model_dump(mode="json"), sort_keys=True)
    facts = {
        "profile": params.profile,
        "settings": hashlib.sha256(settings.encode()).hexdigest(),
        "lock": sha256(paths.lock) if paths.lock.is_file() else "",
    }
    last = _noted(paths)
    if {name: last.get(name) for name in facts} != facts:
        write_json(paths.provenance, {**facts, "commit": commit_of(paths)})


def _noted(paths: Paths) -> dict[str, Any]:
    """What provenance.json says."""
    there = paths.provenance.is_file()
    return read_json(paths.provenance, f"rm {paths.provenance} && manex report") if there else {}


def _aside(entry: MethodEntry) -> str:
    """The extra knowledge that puts a method out of competition; "" if none."""
    if entry.shown_in == "supervised":
        return "saw ordered clips"
    return "knows the truth" if entry.model_name in ("oracle", "truth") else ""


def _section(dataset: str, params: Params, paths: Paths, table: pd.DataFrame) -> Section:
    elsewhere, rows = absence(paths.prepared(dataset)), table[table["dataset"] == dataset]
    results = None if elsewhere else load_results(dataset, paths)
    scores = {name: results.by_trial(name) for name in results.methods} if results else {}
    entries = params.methods_of(dataset)
    informed = {name: aside for name, entry in entries.items() if (aside := _aside(entry))}
    pictures = [
        picture
        for kind in ABOUT
        for folder in (paths.figures, paths.pictures, paths.private)
        if (picture := picture_of(folder / f"{dataset}{kind}", dataset))
    ]
    return Section(
        name=dataset,
        rows=table_rows(rows, informed),
        differences=differences({name: s.to_numpy() for name, s in scores.items() if name not in informed}),
        pictures=pictures,
        detail=_detail(dataset, scores, paths) if scores else None,
        note=ELSEWHERE.format(reason=elsewhere) if elsewhere and rows["not_run"].isna().any() else "",
    )


def _detail(dataset: str, scores: dict[str, pd.DataFrame], paths: Paths) -> Detail:
    frames = load_prepared(dataset, paths)
    trials = {name: load_trials(dataset, name, paths).frames[0] for name in scores}
    numbers = range(len(frames.videos))
    return Detail(
        rows=["truth", *scores],
        sprites=[sprite([frames.videos[v], *(walked[v] for walked in trials.values())]) for v in numbers],
        scores=[[f"{table[v].mean():.4f}" for table in scores.values()] for v in numbers],
        width=frames.videos.shape[-1],
        height=frames.videos.shape[-2],
        names=[frames.name_of(video) for video in numbers],
    )


def _settings(file: Path) -> dict[str, str]:
    """params.yaml as it is written, by top-level key; comments stay with what follows them."""
    parts: dict[str, list[str]] = {}
    waiting: list[str] = []
    for line in file.read_text().splitlines():
        waiting.append(line)
        if line[:1].isalpha():
            parts[line.partition(":")[0]], waiting = waiting, []
        elif line.strip() and not line.startswith("#") and parts:
            parts[next(reversed(parts))] += waiting
            waiting = []
    return {name: "\n".join(lines).strip() for name, lines in parts.items()}


def _provenance(params: Params, paths: Paths) -> dict[str, str]:
    records = current_records(paths)
    machines = sorted({str(record.get("machine", "")) for record in records} - {""})
    noted = _noted(paths)
    return {
        "profile": params.profile,
        "commit (+: with changes that are not committed)": commit_of(paths) or "not in a git repository",
        "commit at which these results were first reported": noted["commit"] or "not in a git repository",
        "sha256 of the settings": noted["settings"],
        "sha256 of dvc.lock": noted["lock"] or "no dvc.lock",
        "trials": ", ".join(map(str, params.trials.seeds)),
        "machines that ran the stages": "; ".join(machines) or "none: all came from the cache",
        "machine that wrote this page": f"{platform.platform()}, Python {platform.python_version()}",
        "first and last stage begun": " to ".join(_ends(sorted(str(r["started"]) for r in records if "started" in r))),
        "seconds in all stages": f"{sum(record['seconds'] for record in records):.0f}",
    }


def _ends(times: list[str]) -> list[str]:
    return [times[0], times[-1]] if times else ["unknown"]


def _absent(params: Params, paths: Paths) -> list[tuple[str, str]]:
    folders = {}
    for dataset in params.datasets:
        folders[dataset] = paths.prepared(dataset)
        folders |= {f"{dataset}, model {name}": paths.model(dataset, name) for name in params.models}
        folders |= {f"{dataset}, {name}": paths.extrapolated(dataset, name) for name in params.methods}
        folders |= {f"{dataset}, analysis {name}": paths.analysis(dataset, name) for name in params.analyses}
    return [(what, reason) for what, folder in folders.items() if (reason := absence(folder))]

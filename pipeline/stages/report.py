"""report: everything on one page, reports/index.html.

Not a stage of dvc.yaml, but a view made from what the stages left, as `track sync` and `times` are: it tells the
commit, the machine, the times and the hash of dvc.lock, which change where no result does, and dvc.lock is complete
only when the last stage is done. So DVC neither runs nor stores it. It shows private datasets too: git ignores it.
"""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path

import pandas as pd

from pipeline.config.methods import MethodEntry
from pipeline.config.params import Params
from pipeline.paths import Paths
from pipeline.report.captions import ABOUT, picture_of
from pipeline.report.page import Detail, Report, Section, render
from pipeline.report.sprites import sprite
from pipeline.report.tables import COLUMNS, differences, table_rows
from pipeline.stages.absent import absence
from pipeline.stages.artifacts import read_csv, write_text
from pipeline.stages.prepared import load_prepared
from pipeline.stages.records import commit_of
from pipeline.stages.trials import load_trials
from pipeline.times import read_times

TOLD = ("stage", "item", "seconds", "peak_memory_mb", "commit")
"""Of every record."""


def report(params: Params, paths: Paths) -> None:
    """Write reports/index.html."""
    table = read_csv(paths.reports / "table1.csv", "manex table")
    overview = [p for name in ("walk", "comparison", "psnr") if (p := picture_of(paths.figures / f"{name}.svg"))]
    page = Report(
        profile=params.profile,
        sections=[_section(dataset, params, paths, table) for dataset in params.datasets],
        pictures=overview,
        columns=list(COLUMNS),
        settings=_settings(paths.params),
        provenance=_provenance(params, paths),
        times=[[f"{r.get(name, '')}" for name in TOLD] for r in read_times(paths)],
        absent=_absent(params, paths),
    )
    write_text(paths.page, render(page))


def _told(cfg: MethodEntry) -> str:
    """What a method knows that puts it out of competition; "" if nothing."""
    if cfg.block == "supervised":
        return "saw ordered clips"
    return "knows the truth" if cfg.model_name == "oracle" else ""


def _section(dataset: str, params: Params, paths: Paths, table: pd.DataFrame) -> Section:
    methods = [name for name in params.methods if not absence(paths.scores(dataset, name))]
    scores = {
        name: read_csv(
            paths.scores(dataset, name) / "scores.csv",
            f"manex evaluate {dataset} {name}",
            ("trial", "video", "dtw_ssid"),
        ).pivot_table(index="trial", columns="video", values="dtw_ssid")
        for name in methods
    }
    informed = {name: told for name in methods if (told := _told(params.method(dataset, name)))}
    pictures = [
        picture
        for kind in ABOUT
        for folder in (paths.figures, paths.pictures, paths.private)
        if (picture := picture_of(folder / f"{dataset}{kind}", dataset))
    ]
    return Section(
        name=dataset,
        rows=table_rows(table[table["dataset"] == dataset], informed),
        differences=differences({name: s.to_numpy() for name, s in scores.items() if name not in informed}),
        pictures=pictures,
        detail=_detail(dataset, scores, paths) if methods else None,
    )


def _scores(dataset: str, method: str, paths: Paths) -> pd.DataFrame:
    """A row a trial, a column a video."""
    file, made_by = paths.scores(dataset, method) / "scores.csv", f"manex evaluate {dataset} {method}"
    table = read_csv(file, made_by, ("trial", "video", "dtw_ssid"))
    return table.pivot_table(index="trial", columns="video", values="dtw_ssid")


def _detail(dataset: str, scores: dict[str, pd.DataFrame], paths: Paths) -> Detail:
    frames = load_prepared(dataset, paths)
    trials = {name: load_trials(dataset, name, paths)[0][0] for name in scores}
    numbers = range(len(frames.videos))
    return Detail(
        rows=["truth", *scores],
        sprites=[sprite([frames.videos[v], *(walked[v] for walked in trials.values())]) for v in numbers],
        scores=[[f"{table[v].mean():.4f}" for table in scores.values()] for v in numbers],
        width=frames.videos.shape[-1],
        height=frames.videos.shape[-2],
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
    records = read_times(paths)
    machines = sorted({str(record.get("machine", "")) for record in records} - {""})
    lock = hashlib.sha256(paths.lock.read_bytes()).hexdigest() if paths.lock.is_file() else "no dvc.lock"
    return {
        "profile": params.profile,
        "commit (+: with changes that are not committed)": commit_of(paths) or "not in a git repository",
        "sha256 of dvc.lock": lock,
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
        folders |= {f"{dataset}, {name}": paths.scores(dataset, name) for name in params.methods}
    return [(what, reason) for what, folder in folders.items() if (reason := absence(folder))]

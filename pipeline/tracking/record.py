"""Records of what each run of a stage did: times, machine, commit, metrics. Untracked; MLflow is made of them.

reports/records/STAGE/ITEM.json is of the latest run here. Beside it, reports/records/earlier keeps the latest record of
every other input that the cell ran with: DVC may bring the results of any of them back.
"""

from __future__ import annotations

import json
import math
import os
import platform
import resource
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from pipeline.paths import Paths
from pipeline.settings import settings
from pipeline.storage.artifacts import write_json
from pipeline.tracking import trace

Numbers = dict[str, float]
STAGES = (
    *("code", "fetch", "prepare", "train", "weights", "extrapolate"),
    *("evaluate", "analyse", "findings", "table", "figures"),
)
"""All stages, in the order in which they run."""
ALL = "all"
"""The item of a stage that runs once, in the name of its record."""
NO_HASHES = "made by an earlier version, without hashes"


@dataclass
class Run:
    """A stage while it runs: what it adds here goes into its record.

    Attributes:
        facts: numbers and words about the run.
        metrics: final numbers of the whole.
        series: numbers by step; a step is an optimiser step, a trial or a frame.
        files: to be kept with the run.
        dataset: the prepared dataset that it read; "" if none.
        model: the model that it trained or walked with; "" if none.
        used: time and memory, once it has stopped.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    metrics: Numbers = field(default_factory=dict)
    series: list[tuple[int, Numbers]] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    dataset: str = ""
    model: str = ""
    clock: float = field(default_factory=time.perf_counter)
    cpu_clock: float = field(default_factory=time.process_time)
    used: Numbers = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Seconds since the stage began."""
        return round(time.perf_counter() - self.clock, 3)

    def stop(self) -> None:
        """Note what the run has used: it is over, though its outputs may not be in their place yet."""
        self.used = {
            "seconds": self.seconds,
            "cpu_seconds": round(time.process_time() - self.cpu_clock, 3),
            "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        }


@contextmanager
def recorded(paths: Paths, stage: str, item: str, params: Mapping[str, Any]) -> Iterator[Run]:
    """Write reports/records/STAGE/ITEM.json when the block ends well; by then the outputs must be in their place.

    Args:
        item: what the stage worked on, such as "rotated_mnist-resunet"; "" for a stage that runs once.
        params: the settings it used.
    """
    read = trace.begun(paths, stage, item)
    started, run = datetime.now(UTC), Run()
    yield run
    if not run.used:
        run.stop()
    record = {
        "stage": stage,
        "item": item,
        "params": dict(params),
        "started": started.isoformat(timespec="milliseconds"),
        **run.used,
        "threads": settings().threads,
        "machine": f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "commit": commit_of(paths),
        "lock": sha256(paths.lock.read_bytes()).hexdigest()[:16] if paths.lock.is_file() else "",
        "metrics": _finite(run.metrics),
        "series": [[step, _finite(numbers)] for step, numbers in run.series],
        "files": [os.path.relpath(file, paths.root) for file in run.files],
        "dataset": run.dataset,
        "model": run.model,
        "trace": trace.ended(paths, read),
        **run.facts,
    }
    write_json(paths.record(stage, item), record)
    key = sha256(json.dumps([read["settings"], read["inputs"]], sort_keys=True).encode()).hexdigest()[:16]
    write_json(paths.earlier(stage, item) / f"{key}.json", record)


@dataclass(frozen=True)
class Found:
    """The record of a cell that is of the settings, data and results that are here now, or else its latest one.

    Attributes:
        item: as the name of the file has it.
        record: its content; {} if it cannot be read.
        differs: what is here now and was not so for that run; "" if it is the record of what is here.
    """

    stage: str
    item: str
    path: Path
    record: dict[str, Any]
    differs: str

    def __str__(self) -> str:
        return self.stage if self.item == ALL else f"{self.stage}@{self.item}"


def find_records(paths: Paths) -> Iterator[Found]:
    """One record of every cell that has any, in the order of the stages."""
    known = {(path.parent.name, path.stem) for path in paths.records.glob("*/*.json")}
    known |= {(path.parent.name, path.name) for path in paths.earlier("", "").parent.parent.glob("*/*")}
    places = {stage: place for place, stage in enumerate(STAGES)}
    for stage, item in sorted(known, key=lambda cell: (places.get(cell[0], len(places)), cell)):
        if found := _find(paths, stage, item):
            yield found


def left_out(found: Iterable[Found]) -> str:
    """The records that are not of what is here, by reason, the first few of each by name; "" if there are none."""
    reasons: dict[str, list[str]] = {}
    for one in found:
        if one.differs:
            reasons.setdefault(one.differs, []).append(str(one))
    return "; ".join(f"{_few(names)} ({reason})" for reason, names in reasons.items())


def _few(names: list[str]) -> str:
    shown, more = names[:3], len(names) - 3
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def current_record(paths: Paths, stage: str, item: str) -> dict[str, Any]:
    """The record of a cell, if it is of what is here now; else {}."""
    found = _find(paths, stage, paths.record(stage, item).stem)
    return found.record if found and not found.differs else {}


def current_records(paths: Paths) -> list[dict[str, Any]]:
    """The records of what is here now; what cannot be read is left out."""
    return [found.record for found in find_records(paths) if not found.differs and found.record]


def _find(paths: Paths, stage: str, item: str) -> Found | None:
    latest = paths.record(stage, item)
    found = [Found(stage, item, latest, *_looked_at(paths, latest))] if latest.is_file() else []
    if not found or found[0].differs:
        earlier = [Found(stage, item, path, *_looked_at(paths, path)) for path in paths.earlier(stage, item).glob("*")]
        found += sorted(
            (one for one in earlier if one.record), key=lambda one: str(one.record.get("started")), reverse=True
        )
    return next((one for one in found if not one.differs), found[0] if found else None)


def _looked_at(paths: Paths, path: Path) -> tuple[dict[str, Any], str]:
    """The content of a record, and in what it differs from what is here."""
    record = _content(path)
    try:
        differs = trace.differences(paths, record["trace"]) if "trace" in record else iter([NO_HASHES])
        return record, next(differs, "") if record else ""
    except (KeyError, TypeError, AttributeError):  # hashes that are none
        return {}, ""


def _content(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text())
        return {**record, "stage": str(record["stage"]), "seconds": float(record["seconds"])}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def read_records(paths: Paths) -> list[dict[str, Any]]:
    """The latest records of all cells, whatever is here now: they tell how long such cells take."""
    return [record for path in sorted(paths.records.glob("*/*.json")) if (record := _content(path))]


def commit_of(paths: Paths) -> str:
    """The git commit, with "+" if files of this project differ from it; "" outside a repository."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(paths.root), *words], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    commit = git("rev-parse", "--short=12", "HEAD")
    return commit + ("+" if commit and git("status", "--porcelain", "--untracked-files=no", "--", ".") else "")


def means(rows: Iterable[Mapping[Any, float]]) -> Numbers:
    """The mean of each number over the rows that have it."""
    rows = [_finite(row) for row in rows]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: math.fsum(have) / len(have) for name in names if (have := [row[name] for row in rows if name in row])}


def _finite(numbers: Mapping[Any, float]) -> Numbers:
    return {str(name): float(value) for name, value in numbers.items() if math.isfinite(value)}

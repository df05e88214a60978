"""Records of what each run of a stage did: times, machine, commit, metrics. Untracked; MLflow is made of them."""

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

Numbers = dict[str, float]
STAGES = ("code", "fetch", "prepare", "train", "extrapolate", "evaluate", "analyse", "table", "figures")
"""All stages, in the order in which they run."""


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
    """

    facts: dict[str, Any] = field(default_factory=dict)
    metrics: Numbers = field(default_factory=dict)
    series: list[tuple[int, Numbers]] = field(default_factory=list)
    files: list[Path] = field(default_factory=list)
    dataset: str = ""
    model: str = ""
    clock: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Seconds since the stage began."""
        return round(time.perf_counter() - self.clock, 3)


@contextmanager
def recorded(paths: Paths, stage: str, item: str, params: Mapping[str, Any]) -> Iterator[Run]:
    """Write reports/records/STAGE/ITEM.json when the block ends well.

    Args:
        item: what the stage worked on, such as "rotated_mnist-resunet"; "" for a stage that runs once.
        params: the settings it used.
    """
    run = Run()
    started, cpu = datetime.now(UTC), time.process_time()
    yield run
    record = {
        "stage": stage,
        "item": item,
        "params": dict(params),
        "started": started.isoformat(timespec="milliseconds"),
        "seconds": run.seconds,
        "cpu_seconds": round(time.process_time() - cpu, 3),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "threads": settings().threads,
        "machine": f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "commit": commit_of(paths),
        "lock": sha256(paths.lock.read_bytes()).hexdigest()[:16] if paths.lock.is_file() else "",
        "metrics": _finite(run.metrics),
        "series": [[step, _finite(numbers)] for step, numbers in run.series],
        "files": [os.path.relpath(file, paths.root) for file in run.files],
        "dataset": run.dataset,
        "model": run.model,
        **run.facts,
    }
    write_json(paths.record(stage, item), record)


def read_records(paths: Paths) -> list[dict[str, Any]]:
    """All records in the order of the stages; what cannot be read is left out."""
    records = []
    for path in sorted(paths.records.glob("*/*.json")):
        try:
            record = json.loads(path.read_text())
            records.append({**record, "seconds": float(record["seconds"]), "stage": str(record["stage"])})
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return sorted(records, key=lambda record: STAGES.index(record["stage"]) if record["stage"] in STAGES else 99)


def commit_of(paths: Paths) -> str:
    """The git commit, with "+" if files differ from it; "" outside a repository."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(paths.root), *words], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    commit = git("rev-parse", "--short=12", "HEAD")
    return commit + ("+" if commit and git("status", "--porcelain", "--untracked-files=no") else "")


def means(rows: Iterable[Mapping[Any, float]]) -> Numbers:
    """The mean of each number over the rows that have it."""
    rows = [_finite(row) for row in rows]
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: math.fsum(have) / len(have) for name in names if (have := [row[name] for row in rows if name in row])}


def _finite(numbers: Mapping[Any, float]) -> Numbers:
    return {str(name): float(value) for name, value in numbers.items() if math.isfinite(value)}

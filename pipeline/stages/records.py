"""What a run of a stage did, beside its outputs: times, machine, commit. Untracked; MLflow is rebuilt from these."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from pipeline.paths import Paths
from pipeline.settings import settings
from pipeline.stages.artifacts import write_json


@dataclass
class Run:
    """A stage at work: what it adds to `facts` goes into its record."""

    facts: dict[str, Any] = field(default_factory=dict)
    clock: float = field(default_factory=time.perf_counter)

    @property
    def seconds(self) -> float:
        """Since the stage began."""
        return round(time.perf_counter() - self.clock, 3)


@contextmanager
def recorded(paths: Paths, stage: str, item: str, params: dict[str, Any]) -> Iterator[Run]:
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
        "params": params,
        "started": started.isoformat(timespec="milliseconds"),
        "seconds": run.seconds,
        "cpu_seconds": round(time.process_time() - cpu, 3),
        "peak_memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1),
        "threads": settings().threads,
        "machine": f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}",
        "commit": commit_of(paths),
        "lock": sha256(paths.lock.read_bytes()).hexdigest()[:16] if paths.lock.is_file() else "",
        **run.facts,
    }
    write_json(paths.record(stage, item), record)


def commit_of(paths: Paths) -> str:
    """The git commit, with "+" if files differ from it; "" outside a repository."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", "-C", str(paths.root), *words], capture_output=True, text=True, check=False)
        return done.stdout.strip()

    commit = git("rev-parse", "--short=12", "HEAD")
    return commit + ("+" if commit and git("status", "--porcelain", "--untracked-files=no") else "")

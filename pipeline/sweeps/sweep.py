"""A sweep from grid to table: trainings first, then cells. What was done before is not repeated."""

from __future__ import annotations

import math
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from manex.metrics.scores import NUMBERS
from pipeline.config.params import Params
from pipeline.figures.style import METADATA, style
from pipeline.paths import Paths
from pipeline.progress import tally
from pipeline.settings import settings
from pipeline.storage.artifacts import replacing, write_csv
from pipeline.sweeps.grid import Grid
from pipeline.sweeps.heatmap import heatmap_figure
from pipeline.sweeps.plan import Cell, Plan
from pipeline.sweeps.pool import completed
from pipeline.sweeps.store import Store
from pipeline.sweeps.tasks import Outcome, Task, Train


@dataclass(frozen=True)
class Row:
    """A cell and what became of it.

    Attributes:
        names: its place in the grid.
        status: "done", "failed" or "not run"; `message` says why.
        key: of its file; "" where there is none.
    """

    names: dict[str, Any]
    cell: Cell
    status: str
    key: str = ""
    numbers: dict[str, float] | None = None
    message: str = ""
    measured: dict[str, Any] | None = None

    def __str__(self) -> str:
        words = [f"{name} {value}" for name, value in self.names.items() if value is not None]
        return " ".join(words).replace("dataset ", "", 1).replace("method ", "", 1)


class Sweep:
    """A grid, checked and planned; nothing has run yet.

    Args:
        name: of the folder under reports/sweeps.

    Raises:
        UserError: the grid does not fit params.yaml, or frames or networks are missing.
    """

    def __init__(self, name: str, grid: Grid, params: Params, paths: Paths) -> None:
        self.name, self.grid, self.paths = name, grid, paths
        self.plan = Plan(grid, params, paths, f"{name}.yaml")
        self.store = Store(paths.sweep(name))
        self.rows: list[Row] = []

    def run(self, retry_failed: bool = False) -> Iterator[Outcome]:
        """Do what is missing and yield each outcome once it is kept; then write table and picture, and fill `rows`.

        Raises:
            UserError: another sweep is at work in the folder, or all workers are lost.
        """
        with self.store.alone():
            kept: dict[str, Outcome] = {}
            yield from self._do(self.plan.trainings, "trainings", retry_failed, kept)
            tasks = [self._task(cell, kept) for cell in self.plan.cells]
            yield from self._do([task for task in tasks if task], "cells", retry_failed, kept)
            self.rows = [self._row(cell, task, kept) for cell, task in zip(self.plan.cells, tasks, strict=True)]
            self._write()

    def _do(self, tasks: Sequence[Task], what: str, retry: bool, kept: dict[str, Outcome]) -> Iterator[Outcome]:
        by_key = {task.key: task for task in tasks}
        before = {key: outcome for key, task in by_key.items() if (outcome := self.store.read(task))}
        kept |= {key: outcome for key, outcome in before.items() if outcome.result is not None or not retry}
        missing = [task for key, task in by_key.items() if key not in kept]
        if not tasks:
            return
        machine = settings()
        at_once = max(1, machine.workers // self.grid.threads)
        sys.stderr.write(f"sweep {self.name}: {len(by_key)} {what}, {len(missing)} to do\n")
        outcomes = completed(missing, at_once, machine.scheduler)
        for outcome in tally(outcomes, f"sweep {self.name}, {what}", len(missing), lambda one: one.result is None):
            self.store.write(by_key[outcome.key], outcome)
            kept[outcome.key] = outcome
            yield outcome

    def _task(self, cell: Cell, kept: dict[str, Outcome]) -> Task | None:
        """None where there is nothing to do, or no network to do it with."""
        if cell.not_run or (cell.training and kept[cell.training.key].result is None):
            return None
        return self.plan.walk(cell, self.store.home(cell.training) if cell.training else None)

    def _row(self, cell: Cell, task: Task | None, kept: dict[str, Outcome]) -> Row:
        names = cell.names(self.plan.axes)
        if cell.not_run:
            return Row(names, cell, "not run", message=cell.not_run)
        if task is None:
            assert isinstance(cell.training, Train)
            return Row(names, cell, "failed", message=f"its training failed: {kept[cell.training.key].message}")
        outcome = kept[task.key]
        if outcome.result is None:
            return Row(names, cell, "failed", task.key, None, outcome.message, outcome.measured)
        numbers = {name: _mean(outcome.result[name]) for name in NUMBERS}
        return Row(names, cell, "done", task.key, numbers, "", outcome.measured)

    def _write(self) -> None:
        folder = self.store.folder
        table = pd.DataFrame([_flat(row) for row in self.rows])
        write_csv(folder / "sweep.csv", table)
        costs = [{"cell": row.key, **row.names, **row.measured} for row in self.rows if row.measured]
        write_csv(folder / "costs.csv", pd.DataFrame(costs, columns=None if costs else ["cell"]))
        with style():
            drawn = heatmap_figure(table, self.plan.axes)
            for kind, metadata in METADATA.items():
                with replacing(folder / f"heatmap.{kind}") as temporary:
                    drawn.savefig(temporary, format=kind, dpi=160, metadata=metadata)

    @property
    def summary(self) -> str:
        """How many cells are what, in words."""
        counts = Counter(row.status for row in self.rows)
        words = (f"{counts[status]} {status}" for status in ("done", "failed", "not run") if counts[status])
        return f"sweep {self.name}: {len(self.rows)} cells, {', '.join(words)}"

    @property
    def failed(self) -> list[Row]:
        return [row for row in self.rows if row.status == "failed"]


def _flat(row: Row) -> dict[str, Any]:
    """A row of the table; nothing in it differs from run to run."""
    numbers = row.numbers or dict.fromkeys(NUMBERS, math.nan)
    return {**row.names, "status": row.status, **numbers, "cell": row.key, "message": row.message}


def _mean(values: list[float | None]) -> float:
    """Mean over videos; NaN where nothing is known."""
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known else math.nan

"""Bring everything that dvc.yaml describes up to date, several cells at a time."""

from __future__ import annotations

import heapq
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.engine import cell as cells
from pipeline.engine.done import Done
from pipeline.engine.pool import Pool, open_pool
from pipeline.engine.project import Cell, Project, opened
from pipeline.engine.schedule import course, ways_to_go
from pipeline.engine.show import Show
from pipeline.engine.times import Times, work
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.settings import settings

PATIENCE = 1.0
"""Seconds between looks at the clock while cells are at work."""


@dataclass
class Result:
    """What became of the cells, by name; failed ones with the reason, skipped ones with the cell that failed."""

    run: list[str] = field(default_factory=list)
    restored: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        counts = {name: len(value) for name, value in vars(self).items()}
        return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing to do"


def reproduce(root: Path, targets: Sequence[str] = ()) -> Result:
    """Run the cells that are not up to date, `MANEX_WORKERS` at a time, as `dvc repro --keep-going` would one by one.

    A cell that fails stops what depends on it and nothing else; the result names it.

    Raises:
        UserError: another process holds the project, dvc.yaml or a target is wrong, or the pool cannot be had.
    """
    machine = settings()
    paths = Paths(root)
    python = os.pathsep.join(filter(None, (str(Path(sys.executable).parent), os.environ.get("PATH"))))
    environment = {"MANEX_TRACKING": "off", "MANEX_THREADS": str(machine.threads), "PATH": python}
    with (
        opened(root, targets, environment) as project,
        open_pool(machine.workers, machine.scheduler, root) as pool,
    ):
        return _Run(project, pool, Times(paths)).go()


class _Run:
    """A run under way. A cell is asked whether it must run when all it depends on is up to date, not before."""

    def __init__(self, project: Project, pool: Pool, times: Times) -> None:
        self.project, self.pool, self.times = project, pool, times
        self.result = Result()
        self.waits = {cell: set(cell.upstream) for cell in project.cells}
        self.downstream: dict[Cell, list[Cell]] = {cell: [] for cell in project.cells}
        for cell in project.cells:
            for other in cell.upstream:
                self.downstream[other].append(cell)
        self.seconds = {cell: self._expected(cell) for cell in project.cells}
        self.rank = ways_to_go({cell: cell.upstream for cell in project.cells}, self.seconds)
        self.order = {cell: place for place, cell in enumerate(project.cells)}
        self.ready: list[tuple[float, int, Cell]] = []
        self.at_work: dict[str, tuple[Cell, float]] = {}
        self.show = Show(len(project.cells), self._left)

    def go(self) -> Result:
        for cell in self.project.cells:
            if not self.waits[cell]:
                self._push(cell)
        with self.show:
            while self.ready or self.at_work:
                self._feed()
                for done in self.pool.ended(PATIENCE) if self.at_work else ():
                    self._take(done)
                with suppress(UserError):  # such as a full disk: at the end it is tried again, and told
                    self.project.write_lock()
        self.times.write()
        if not self.result.failed:
            self.project.complete()
        return self.result

    def _feed(self) -> None:
        """Give the pool as much as it can work on."""
        while self.ready and len(self.at_work) < self.pool.size:
            cell = heapq.heappop(self.ready)[2]
            try:
                if not self.project.changed(cell):
                    self._settle(cell, "unchanged")
                    continue
                job = self.project.begin(cell)
            except UserError as error:
                self._fail(cell, str(error))
                continue
            if job is None:
                self._settle(cell, "restored")
                continue
            self.show.started(cell.name)
            self.at_work[cell.name] = cell, time.monotonic()
            self.pool.submit(cell.name, cells.run, job)

    def _take(self, done: Done) -> None:
        """What a worker answered."""
        cell, _ = self.at_work.pop(done.key)
        self._feed()  # first: the outputs of this cell can wait, a worker should not
        ending = done.answer
        if ending is None:
            self._fail(cell, done.lost)
        elif ending.code:
            log = cells.log_of(self.project.root, cell.name).relative_to(self.project.root)
            self._fail(cell, f"{ending.said or 'no word of why'} (exit code {ending.code}; {log})")
        else:
            try:
                self.project.finish(cell)
            except UserError as error:
                self._fail(cell, str(error))
                return
            self.times.note(cell, ending)
            self._settle(cell, "run")

    def _settle(self, cell: Cell, how: str) -> None:
        getattr(self.result, how).append(cell.name)
        self.show.ended(cell.name, how)
        del self.waits[cell]
        for other in self.downstream[cell]:
            if other in self.waits:
                self.waits[other].discard(cell)
                if not self.waits[other]:
                    self._push(other)

    def _fail(self, cell: Cell, why: str) -> None:
        self.result.failed[cell.name] = why
        self.show.ended(cell.name, "failed", why)
        del self.waits[cell]
        behind = list(self.downstream[cell])
        while behind:
            other = behind.pop()
            if self.waits.pop(other, None) is not None:
                self.result.skipped[other.name] = cell.name
                self.show.ended(other.name, "skipped", f"it needs {cell.name}")
                behind += self.downstream[other]

    def _push(self, cell: Cell) -> None:
        heapq.heappush(self.ready, (-self.rank[cell], self.order[cell], cell))

    def _expected(self, cell: Cell) -> float:
        """Seconds. Of what nothing is known, by its settings: at least the longer comes before the shorter."""
        guess = self.times.guess(cell)
        return guess.seconds if guess else 1 + work(cell.params) / 1000

    def _left(self) -> float | None:
        """Seconds until the end, if all that is not settled must run; None where too little is known."""
        if any(self.times.guess(cell) is None for cell in self.waits):
            return None
        now = time.monotonic()
        begun = {cell: now - began for cell, began in self.at_work.values()}
        upstream = {cell: [other for other in cell.upstream if other in self.waits] for cell in self.waits}
        return course(upstream, self.seconds, self.pool.size, dict.fromkeys(upstream, 0.0), begun).seconds

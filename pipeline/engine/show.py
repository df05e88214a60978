"""How far a run is: a live table on a terminal, one line per cell elsewhere. On stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Self

from pipeline.progress import clock

if TYPE_CHECKING:
    from rich.console import Group
    from rich.live import Live


class Show:
    """Told of every step of a run.

    Args:
        total: how many cells there are.
        left: seconds until the end, as they are guessed now; None: unknown.
    """

    def __init__(self, total: int, left: Callable[[], float | None]) -> None:
        self._total, self._left = total, left
        self._running: dict[str, float] = {}
        self._counts = {"run": 0, "restored": 0, "unchanged": 0, "failed": 0, "skipped": 0}
        self._began = time.monotonic()
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            self._live = Live(get_renderable=self._table, console=Console(stderr=True), refresh_per_second=2)
            self._live.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self._live is not None:
            self._live.stop()

    def started(self, name: str) -> None:
        """A cell went to a worker."""
        self._running[name] = time.monotonic()

    def ended(self, name: str, how: str, why: str = "") -> None:
        """A cell is settled: "run", "restored", "unchanged", "failed" or "skipped"."""
        began = self._running.pop(name, None)
        self._counts[how] += 1
        if how == "unchanged" or (how == "skipped" and self._live is None):
            return
        words = {"run": "done", "restored": "restored from DVC's run cache"}.get(how, how)
        took = f" in {clock(time.monotonic() - began)}" if began is not None else ""
        line = f"{name}: {words}{took}{f': {why}' if why else ''}"
        if self._live is not None:
            if how != "run":
                self._live.console.print(line, markup=False, highlight=False)
            return
        sys.stderr.write(f"{line}{self._place()}\n")
        sys.stderr.flush()

    def _place(self) -> str:
        settled = sum(self._counts.values())
        left = self._left() if settled < self._total else None
        return f" ({settled}/{self._total}{f', about {clock(left)} left' if left is not None else ''})"

    def _table(self) -> Group:
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        table = Table("running", box=None, padding=(0, 2, 0, 0))
        table.add_column("for", justify="right")
        now = time.monotonic()
        for name, began in self._running.items():
            table.add_row(Text(name), clock(now - began))
        told = ", ".join(f"{count} {how}" for how, count in self._counts.items() if count) or "nothing yet"
        return Group(table, Text(f"{told} of {self._total}{self._place()}, {clock(now - self._began)} so far"))

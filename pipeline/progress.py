"""Progress of long loops, on stderr: a bar with the time left on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import TypeVar

T = TypeVar("T")

SECONDS_BETWEEN_LINES = 5.0


def track(iterable: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
    """Pass the items on, and show how many of `total` have been worked on.

    Args:
        total: how many are expected; the length of `iterable` if it has one. The loop may end earlier or later.
    """
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    yield from _shown(iterable, lambda: label, total)


def tally(iterable: Iterable[T], label: str, total: int, failed: Callable[[T], bool]) -> Iterator[T]:
    """The same for items that may have failed: how many are done, failed, and left."""
    counts = {True: 0, False: 0}

    def counted() -> Iterator[T]:
        for item in iterable:
            counts[failed(item)] += 1
            yield item

    def counts_so_far() -> str:
        return f"{label} ({counts[False]} done, {counts[True]} failed, {total - sum(counts.values())} left)"

    yield from _shown(counted(), counts_so_far, total)


def _shown(iterable: Iterable[T], label: Callable[[], str], total: int | None) -> Iterator[T]:
    return _bar(iterable, label, total) if sys.stderr.isatty() else _lines(iterable, label, total)


def _bar(iterable: Iterable[T], label: Callable[[], str], total: int | None) -> Iterator[T]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(label(), total=total)
        for item in iterable:
            yield item
            progress.update(task, advance=1, description=label())


def _lines(iterable: Iterable[T], label: Callable[[], str], total: int | None) -> Iterator[T]:
    """A line at every tenth of the way, but at most one in five seconds; none for a loop that is quicker than that."""
    began = said = time.monotonic()
    done = tenth = 0
    for done, item in enumerate(iterable, 1):
        yield item
        now = time.monotonic()
        reached = done * 10 // total if total else tenth + 1
        if now - said >= SECONDS_BETWEEN_LINES and reached > tenth and done != total:
            said, tenth = now, reached
            left = f", about {clock((now - began) / done * (total - done))} left" if total and total > done else ""
            _say(f"{label()}: {done}{f'/{total}' if total else ''} after {clock(now - began)}{left}")
    if time.monotonic() - began >= SECONDS_BETWEEN_LINES:
        _say(f"{label()}: {done} done in {clock(time.monotonic() - began)}")


def clock(seconds: float) -> str:
    """Seconds as 4:05 or 1:02:03."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()

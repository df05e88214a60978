"""Where the cells of a run and of a sweep are worked on: processes of this machine, or a Dask cluster.

A worker that dies loses what it had in hand, which is done again.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Protocol, Self

from pipeline.engine.child import Child, LostError, stop
from pipeline.engine.done import TRIES, Done, lost


class Pool(Protocol):
    """Does tasks side by side. As a context manager it ends what is still at work when the block ends."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...

    @property
    def size(self) -> int:
        """How many tasks can be worked on at once."""

    def submit(self, key: str, function: Callable[[Any], Any], argument: Any) -> None:
        """Have `function(argument)` done; the function belongs to a module, and argument and answer can be pickled."""

    def ended(self, within: float) -> list[Done]:
        """What has ended since the last call; waits for something to end, but not for more seconds than `within`.

        Raises:
            UserError: the pool is lost.
        """


def open_pool(at_once: int, scheduler: str | None, root: Path) -> Pool:
    """The pool that the environment asks for.

    Args:
        at_once: tasks at a time on this machine.
        scheduler: address of a Dask scheduler, whose workers do the tasks instead.
        root: the project's folder, which the workers must see under the same path.

    Raises:
        UserError: no scheduler answers there, or a worker differs from this machine.
    """
    if scheduler is None:
        return LocalPool(at_once)
    from pipeline.engine.cluster import ClusterPool

    return ClusterPool(scheduler, root)


@dataclass
class _Task:
    """A task at work, and how often it was begun."""

    key: str
    function: Callable[[Any], Any]
    argument: Any
    child: Child
    tries: int = 1


class LocalPool:
    """Processes of this machine, one per task."""

    def __init__(self, at_once: int) -> None:
        self.size = at_once
        self._tasks: list[_Task] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        stop([task.child for task in self._tasks])
        self._tasks = []

    def submit(self, key: str, function: Callable[[Any], Any], argument: Any) -> None:
        self._tasks.append(_Task(key, function, argument, Child(function, argument)))

    def ended(self, within: float) -> list[Done]:
        ready = wait([task.child.sentinel for task in self._tasks], within)
        done = []
        for task in [task for task in self._tasks if task.child.sentinel in ready]:
            try:
                done.append(Done(task.key, task.child.result()))
            except LostError as error:
                if task.tries < TRIES:
                    task.child, task.tries = Child(task.function, task.argument), task.tries + 1
                    _say(f"{task.key}: {error}; tried again")
                    continue
                done.append(Done(task.key, None, lost(str(error))))
            self._tasks.remove(task)
        return done


def _say(line: str) -> None:
    with suppress(OSError):
        sys.stderr.write(f"manex: {line}\n")

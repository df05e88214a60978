"""Tasks on the workers of a Dask cluster, which share the project's folder; each runs in a process of its own there."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from multiprocessing.connection import wait
from pathlib import Path
from queue import Empty, Queue
from typing import Any, Self

from pipeline.engine import code
from pipeline.engine.child import Child, LostError
from pipeline.engine.done import TRIES, Done, lost
from pipeline.errors import UserError

ANSWERS_WITHIN = 20
"""Seconds in which a scheduler must answer."""

LOOKS = 0.5
"""Seconds between a worker's looks whether its task is still wanted."""


class ClusterPool:
    """The workers of a scheduler.

    Raises:
        UserError: no scheduler answers, or a worker cannot do this project's tasks.
    """

    def __init__(self, scheduler: str, root: Path) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise UserError(
                'MANEX_SCHEDULER: Dask is not installed: pip install -c constraints.txt -e ".[dask]"; or unset it'
            ) from None
        try:
            self._client = Client(scheduler, timeout=ANSWERS_WITHIN, set_as_default=False)
        except (OSError, TimeoutError) as error:
            raise UserError(
                f"MANEX_SCHEDULER: no scheduler answers at {scheduler} ({type(error).__name__}); "
                "start one: dask scheduler"
            ) from None
        self._scheduler, self._root = scheduler, root.resolve()
        self._run = uuid.uuid4().hex[:8]
        self._token = self._root / f".manex-{self._run}.partial"
        self._place = (self._root, self._token.name, code.versions())
        self._tasks: dict[str, tuple[str, Callable[[Any], Any], Any, int]] = {}
        self._futures: dict[str, Any] = {}  # a future that nobody holds lets its worker forget the task
        self._finished: Queue[Any] = Queue()

    def __enter__(self) -> Self:
        try:
            self._token.touch()
            self._check_workers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self._token.unlink(missing_ok=True)
        with suppress(OSError, TimeoutError, CancelledError):  # a scheduler that is gone has forgotten them
            if self._client.status == "running":
                self._client.cancel(list(self._futures.values()), force=True)
        self._client.close()

    @property
    def size(self) -> int:
        """The threads of all workers; 1 while there are none, so that a task waits for the first."""
        try:
            return sum(self._client.nthreads().values()) or 1
        except OSError:
            raise self._gone() from None

    def submit(self, key: str, function: Callable[[Any], Any], argument: Any) -> None:
        self._begin(key, function, argument, tries=1)

    def ended(self, within: float) -> list[Done]:
        done = []
        try:
            futures = [self._finished.get(timeout=within)]
            while not self._finished.empty():
                futures.append(self._finished.get())
        except Empty:
            return []
        for future in futures:
            if (answer := self._answer(future)) is not None:
                done.append(answer)
        return done

    def _begin(self, key: str, function: Callable[[Any], Any], argument: Any, tries: int) -> None:
        name = f"manex-{self._run}-{key}-{tries}"
        future = self._client.submit(_on_worker, function, argument, self._place, key=name, pure=False)
        self._tasks[name] = (key, function, argument, tries)
        self._futures[name] = future
        future.add_done_callback(self._finished.put)

    def _answer(self, future: Any) -> Done | None:
        """None where the task is tried again."""
        key, function, argument, tries = self._tasks.pop(future.key)
        try:
            return Done(key, future.result())  # if its worker has died since, it is done anew
        except CancelledError:
            raise self._gone() from None
        except LostError as error:
            if tries == TRIES:
                return Done(key, None, lost(str(error)))
            self._begin(key, function, argument, tries + 1)
            return None
        except Exception as error:
            return Done(key, None, _told(error))
        finally:
            self._futures.pop(future.key)

    def _gone(self) -> UserError:
        return UserError(f"the scheduler at {self._scheduler} is gone; what is done is kept: run it again")

    def _check_workers(self) -> None:
        if not self._client.nthreads():
            sys.stderr.write(
                f"manex: {self._scheduler} has no workers yet: dask worker {self._scheduler} --nthreads 1\n"
            )
        try:
            answers = self._client.run(code.difference, *self._place)
        except Exception as error:  # raised by a worker: it cannot even import what it is asked to run
            raise UserError(f"MANEX_SCHEDULER: a worker cannot run this project: {_told(error)}") from None
        if told := next(filter(None, answers.values()), ""):
            raise UserError(f"MANEX_SCHEDULER: {told}")


def _on_worker(
    function: Callable[[Any], Any], argument: Any, place: tuple[Path, str, dict[str, str]]
) -> Any:  # pragma: no cover - runs in a Dask worker
    """Do a task in a process of its own; kill it if nobody waits for it any more.

    Raises:
        UserError: this worker came later than the others, and cannot do the project's tasks.
        LostError: the process was killed.
    """
    from distributed import get_worker

    if told := code.difference(*place):
        raise UserError(told)
    worker = get_worker()
    key = worker.get_current_task()
    child = Child(function, argument)
    while not wait([child.sentinel], LOOKS):
        task = worker.state.tasks.get(key)
        if task is None or task.state == "cancelled":
            child.kill()
            break
    return child.result()


def _told(error: Exception) -> str:
    name = type(error).__name__
    if name == "KilledWorker":
        return "the workers that tried it died, perhaps for want of memory"
    message = " ".join(str(error).split())[:300]
    return message if isinstance(error, UserError) else f"{name}: {message}"

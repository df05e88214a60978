"""A function in a process of its own, forked from one that has imported everything already.

The process dies with the one that asked for it, however that one ends, and takes its own children along.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from threading import Lock, Thread
from typing import Any

from pipeline.engine.code import PACKAGE

MERCY = 5.0
"""Seconds that an interrupted process gets to clean up."""

_STARTING = Lock()
"""A process is started with other variables and settings than this one has, which may have several threads."""


class LostError(Exception):
    """The process ended without an answer: it was killed."""


class Child:
    """`function(argument)` at work in a process of its own.

    Attributes:
        sentinel: ready, for `multiprocessing.connection.wait`, when there is an answer or the process is lost.
    """

    def __init__(self, function: Callable[[Any], Any], argument: Any) -> None:
        context = multiprocessing.get_context("forkserver")
        self.sentinel, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_answer, args=(function, argument, theirs))
        with _STARTING, _no_daemon():
            _ready()
            self._process.start()
        theirs.close()

    def result(self) -> Any:
        """The answer, once there is one.

        Raises:
            LostError: the process was killed.
        """
        try:
            answer = self.sentinel.recv()
        except (EOFError, ConnectionError):
            self.kill()
            raise LostError(f"its process was killed (exit code {self._process.exitcode})") from None
        self._process.join()
        self.sentinel.close()
        return answer

    def interrupt(self) -> None:
        """Ask the process to stop, as Ctrl-C would."""
        self._signal(signal.SIGINT)

    def kill(self) -> None:
        """End the process and all that it has started."""
        self._process.join(0)
        self._signal(signal.SIGKILL)
        self._process.join()

    def join(self, seconds: float) -> None:
        """Wait for the end of the process, but not longer than that."""
        self._process.join(seconds)

    def _signal(self, number: signal.Signals) -> None:
        pid = self._process.pid
        assert pid is not None
        for send in (os.killpg, os.kill):  # the second: it has no group of its own yet
            with suppress(ProcessLookupError, PermissionError):
                send(pid, number)
                return


@contextmanager
def _no_daemon() -> Iterator[None]:
    """A Dask worker is a daemon of its nanny, and daemons may have no children. Ours end with the worker anyway."""
    config: dict[str, Any] = multiprocessing.current_process()._config  # type: ignore[attr-defined]
    daemon = config.pop("daemon", None)
    try:
        yield
    finally:
        if daemon is not None:
            config["daemon"] = daemon


def _ready() -> None:
    """Start the process that all others are forked from; it must find this package, wherever it is."""
    forkserver.set_forkserver_preload(["pipeline.engine.warm"])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(PACKAGE.parent), before)))
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def stop(children: list[Child]) -> None:
    """Interrupt processes and, after a while, kill what is left of them."""
    for child in children:
        child.interrupt()
    for child in children:
        child.join(MERCY)
    for child in children:
        child.kill()


def _answer(function: Callable[[Any], Any], argument: Any, answers: Connection) -> None:
    os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    Thread(target=_end_with_parent, daemon=True).start()
    with suppress(KeyboardInterrupt):
        answers.send(function(argument))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os.killpg(0, signal.SIGKILL)

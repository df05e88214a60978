"""The same cells on a real Dask cluster over TCP on 127.0.0.1."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import DEVNULL

import psutil
import pytest
import toy

from pipeline.engine.reproduce import reproduce
from pipeline.errors import UserError


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def dask(*words: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the cluster."""
    command = [sys.executable, "-W", "ignore", "-m", "dask", *words, "--no-dashboard"]
    process = subprocess.Popen(command, env=toy.environment(), cwd=folder, stdout=DEVNULL, stderr=DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(toy.LONG)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a scheduler with two workers, with nannies as they come by default."""
    folder = tmp_path_factory.mktemp("dask")
    address = f"tcp://127.0.0.1:{free_port()}"
    with ExitStack() as stack:
        host, port = address.removeprefix("tcp://").split(":")
        stack.enter_context(dask("scheduler", "--host", host, "--port", port, folder=folder))
        words = ("worker", address, "--nthreads", "1", "--host", host, "--nworkers", "2", "--death-timeout", "100")
        stack.enter_context(dask(*words, folder=folder))
        from distributed import Client

        with Client(address, timeout=toy.LONG, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=toy.LONG)
        yield address


@pytest.mark.slow
def test_on_dask_a_run_leaves_the_bytes_of_a_serial_one(
    cluster: str, root: Path, serial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANEX_SCHEDULER", cluster)
    toy.dvc(serial, "repro")
    assert reproduce(root).failed == {}
    assert toy.state(root) == toy.state(serial)


@pytest.mark.slow
def test_a_dask_worker_that_dies_loses_its_cell_to_another(cluster: str, root: Path, serial: Path) -> None:
    toy.dvc(serial, "repro")
    (root / "hold-a").touch()
    process = toy.start(root, "reproduce", MANEX_SCHEDULER=cluster)
    shell = psutil.Process(toy.held(root, "a"))
    worker = shell.parent().parent().parent()  # the cell, the process it was forked from, the worker
    os.kill(worker.pid, signal.SIGKILL)
    code, said = toy.ended(process)
    assert code == 0, said
    assert toy.runs(root).count("a") == 2
    assert toy.state(root) == toy.state(serial)


@pytest.mark.slow
def test_a_killed_run_leaves_nothing_at_work_on_dask(cluster: str, root: Path) -> None:
    (root / "hold-c").touch()
    process = toy.start(root, "reproduce", MANEX_SCHEDULER=cluster)
    shell = toy.held(root, "c")
    process.kill()
    toy.ended(process)
    toy.until(lambda: not psutil.pid_exists(shell))


@pytest.mark.slow
def test_workers_that_do_not_share_the_folder_are_told_of_before_anything_runs(
    cluster: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANEX_SCHEDULER", cluster)
    monkeypatch.setattr("pathlib.Path.touch", lambda path: None)  # so no file shows that the folder is the same
    with pytest.raises(UserError, match="does not see"):
        reproduce(root)
    assert toy.runs(root) == []


@pytest.mark.slow
def test_workers_of_another_version_are_told_of_before_anything_runs(
    cluster: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANEX_SCHEDULER", cluster)
    monkeypatch.setattr("pipeline.engine.code.versions", lambda: {"Python": "3.0.0", "manex": "other"})
    with pytest.raises(UserError, match=r"has Python 3.*, here 3\.0\.0; manex .*, here other: start it again"):
        reproduce(root)
    assert toy.runs(root) == []


def test_a_scheduler_that_is_not_there_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.engine.cluster.ANSWERS_WITHIN", 1)
    monkeypatch.setenv("MANEX_SCHEDULER", f"tcp://127.0.0.1:{free_port()}")
    with pytest.raises(UserError, match=r"no scheduler answers at tcp://127\.0\.0\.1"):
        reproduce(root)
    assert toy.runs(root) == []

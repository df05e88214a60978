"""Where a sweep runs does not matter to what it finds: processes of this machine, or a real Dask cluster over TCP."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from subprocess import DEVNULL
from typing import Any

import pytest
from distributed import Client
from walkers import files, finished, sweep

from pipeline.engine.child import Child
from pipeline.engine.cluster import ClusterPool
from pipeline.errors import UserError
from pipeline.paths import Paths

ROOT = Path(__file__).parents[2]
GRID = {"methods": {"tangent_flow": {"sigma_255": [15, 25], "speed": [1, 1.5]}, "linear": {}}, "seeds": [100, 101, 102]}
CELLS = 15
LONG = 240
"""Seconds that a cluster on a busy machine may take to come up."""


@pytest.fixture(scope="module")
def expected(original: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the sweep gives in this process."""
    paths = Paths(Path(shutil.copytree(original, tmp_path_factory.mktemp("here") / "project")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MANEX_WORKERS", "1")
        finished(sweep(paths, **GRID))
    return files(paths)


@contextmanager
def dask(*words: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the cluster."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "ignore", "-m", "dask", *words, "--no-dashboard"]
    process = subprocess.Popen(command, env=environment, cwd=folder, stdout=DEVNULL, stderr=DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait(30)


@contextmanager
def scheduler(folder: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Its address on 127.0.0.1, and its process."""
    port = str(free_port())
    with dask("scheduler", "--host", "127.0.0.1", "--port", port, folder=folder) as process:
        yield f"tcp://127.0.0.1:{port}", process


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_two_processes_find_what_one_finds(
    paths: Paths, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANEX_WORKERS", "2")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    assert len(finished(sweep(paths, **GRID))) == CELLS
    assert files(paths) == expected


def test_a_killed_process_of_this_machine_loses_its_cell_to_another(
    paths: Paths, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MANEX_WORKERS", "2")
    lost: list[str] = []
    begin = Child.__init__

    def begun(child: Child, function: Callable[[Any], Any], argument: Any) -> None:
        begin(child, function, argument)
        if not lost:
            lost.append(argument.key)
            child.kill()

    monkeypatch.setattr(Child, "__init__", begun)
    keys = [outcome.key for outcome in finished(sweep(paths, **GRID))]
    assert len(keys) == len(set(keys)) == CELLS
    assert lost[0] in keys
    assert files(paths) == expected


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_sweep_on_dask_outlives_a_worker_and_loses_and_doubles_nothing(
    paths: Paths, expected: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        address, _ = stack.enter_context(scheduler(tmp_path))
        words = ("worker", address, "--nthreads", "1", "--no-nanny", "--host", "127.0.0.1", "--death-timeout", "240")
        workers = [stack.enter_context(dask(*words, folder=tmp_path)) for _ in range(2)]
        client = stack.enter_context(Client(address, timeout=LONG, set_as_default=False))
        client.wait_for_workers(2, timeout=LONG)
        pids = client.run(os.getpid)
        assert set(pids.values()) == {worker.pid for worker in workers}
        monkeypatch.setenv("MANEX_SCHEDULER", address)
        outcomes = sweep(paths, **GRID).run()
        keys = [next(outcomes).key, next(outcomes).key]
        victim = next(worker for worker, tasks in client.processing().items() if tasks)
        os.kill(pids[victim], signal.SIGKILL)
        keys += [outcome.key for outcome in outcomes]
        assert next(worker for worker in workers if worker.pid == pids[victim]).wait(LONG) == -signal.SIGKILL
        assert list(client.scheduler_info()["workers"]) == [worker for worker in pids if worker != victim]
    assert len(keys) == len(set(keys)) == CELLS
    assert {path.stem for path in (paths.sweep("tiny") / "cells").iterdir()} == set(keys)
    assert files(paths) == expected


def test_a_scheduler_that_goes_leaves_what_was_done(
    paths: Paths, expected: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = sweep(paths, **GRID).run()
    next(begun)
    begun.close()
    with scheduler(tmp_path) as (address, process):
        submit = ClusterPool.submit

        def killed(pool: ClusterPool, *task: Any) -> None:
            submit(pool, *task)
            process.kill()

        monkeypatch.setattr(ClusterPool, "submit", killed)
        monkeypatch.setattr("pipeline.engine.cluster.ANSWERS_WITHIN", LONG)
        monkeypatch.setenv("MANEX_SCHEDULER", address)
        with pytest.raises(UserError, match="is gone; what is done is kept"):
            finished(sweep(paths, **GRID))
    monkeypatch.delenv("MANEX_SCHEDULER")
    assert len(finished(sweep(paths, **GRID))) == CELLS - 1
    assert files(paths) == expected


def test_a_scheduler_that_is_not_there_is_named(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.engine.cluster.ANSWERS_WITHIN", 1)
    monkeypatch.setenv("MANEX_SCHEDULER", f"tcp://127.0.0.1:{free_port()}")
    with pytest.raises(UserError, match=r"no scheduler answers at tcp://127\.0\.0\.1"):
        finished(sweep(paths, **GRID))
    assert not (paths.sweep("tiny") / "cells").exists()

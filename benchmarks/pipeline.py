"""The same pipeline run one cell after the other and side by side; docs/scaling.md has the figures.

    python -m benchmarks.pipeline [PROFILE ...] [--ways serial engine1 engine2 dask2]

Each way gets a fresh clone of this project and a profile (default: smoke), in turns: a serial `dvc repro`, `manex
reproduce` with one and with two workers, and two Dask workers on 127.0.0.1. All must end with the same dvc.lock.
Seconds are wall clock; CPU seconds are of all processes; outside cells is what of the CPU time no cell's own work took.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_CHILD_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of Linux's prctl."""

WAYS = ("serial", "engine1", "engine2", "dask2")


@dataclass(frozen=True)
class Measured:
    """One run of the pipeline."""

    seconds: float
    cpu_seconds: float
    in_cells: float
    lock: bytes

    @property
    def outside(self) -> float:
        """Share of the CPU time outside cells."""
        return 1 - self.in_cells / self.cpu_seconds


def clone(folder: Path, profile: str) -> Path:
    """A fresh copy of the files that git knows, with a profile's settings and nothing computed."""
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if Path(name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(Path(name).read_bytes())
    (folder / "dvc.lock").unlink(missing_ok=True)
    (folder / "params.yaml").write_bytes((folder / "profiles" / f"{profile}.yaml").read_bytes())
    author = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost")
    for words in (("init", "--quiet"), ("add", "--all"), (*author, "commit", "--quiet", "--message", "clone")):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


@contextmanager
def cluster(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    """A scheduler and two workers that see the folder: the address."""
    from distributed import Client

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    address = f"tcp://127.0.0.1:{port}"
    scheduler = ("scheduler", "--host", "127.0.0.1", "--port", port)
    worker = ("worker", address, "--nthreads", "1", "--host", "127.0.0.1", "--no-nanny")
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *words, "--no-dashboard"],
            cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for words in (scheduler, worker, worker)
    ]  # fmt: skip
    try:
        with Client(address, timeout=120, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=120)
        yield address
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(60)


def measured(way: str, profile: str) -> Measured:
    """Run the pipeline one way."""
    with tempfile.TemporaryDirectory() as name:
        folder = clone(Path(name) / "project", profile)
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(folder),
            "DVC_NO_ANALYTICS": "1",
            "MANEX_TRACKING": "off",
            "MANEX_THREADS": "1",
            "MANEX_WORKERS": way[-1] if way.startswith("engine") else "1",
        }
        environment.pop("MANEX_SCHEDULER", None)
        command = ["dvc", "repro"] if way == "serial" else ["pipeline", "reproduce"]
        before = _cpu()
        if way == "dask2":
            with cluster(folder, environment) as address:
                took = _run(command, folder, environment | {"MANEX_SCHEDULER": address})
        else:
            took = _run(command, folder, environment)
        used = _cpu() - before
        return Measured(took, used, _in_cells(folder), (folder / "dvc.lock").read_bytes())


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return time.perf_counter() - began


def _adopt() -> None:
    """Become the parent of processes whose own parent ends: their CPU time is counted, too."""
    if ctypes.CDLL(None).prctl(_CHILD_SUBREAPER, 1):
        raise OSError("prctl: not on this system; CPU seconds would be wrong")


def _cpu() -> float:
    """Of all processes that were started from here, or by these; waits until all of them have ended."""
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _in_cells(folder: Path) -> float:
    """CPU seconds that the stages' own records sum up to: what is not start-up, DVC or waiting."""
    records = (folder / "reports" / "records").glob("*/*.json")
    return sum(json.loads(path.read_text())["cpu_seconds"] for path in records)


def main(profiles: list[str], ways: list[str]) -> None:
    """Print a table a profile."""
    _adopt()
    for profile in profiles:
        found = {}
        print(f"{profile}; load average {os.getloadavg()[0]:.1f}")
        print("way        seconds   of serial   CPU seconds   of it outside cells")
        for way in ways:
            found[way] = run = measured(way, profile)
            first = found[ways[0]]
            print(
                f"{way:8} {run.seconds:9.1f}   {run.seconds / first.seconds:9.2f}   {run.cpu_seconds:11.1f}   "
                f"{run.outside:12.0%}",
                flush=True,
            )
        print("dvc.lock:", "the same bytes" if len({run.lock for run in found.values()}) == 1 else "NOT the same")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("profiles", nargs="*", default=["smoke"])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    chosen = parser.parse_args()
    main(chosen.profiles, chosen.ways)

"""A server of MLflow, which takes any user and password."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL
from threading import Event
from urllib.request import urlopen

from pipeline.tracking.dashboard import QUIET


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(address: str, seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urlopen(address, timeout=2):
                return
        except OSError:
            Event().wait(0.2)
    raise AssertionError(f"{address} does not answer")


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Host and port of a server whose runs and files are in a folder."""
    port = free_port()
    place = [
        "--backend-store-uri",
        f"sqlite:///{folder}/server.db",
        "--artifacts-destination",
        str(folder / "artifacts"),
    ]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    process = subprocess.Popen([*command, *place], env={**os.environ, **QUIET}, stdout=DEVNULL, stderr=DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/health")
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(120)

"""Strong scaling of a sweep on this machine, and what a cell costs; docs/scaling.md has the figures.

    python -m benchmarks.scaling [--dataset rotated_mnist] [--frames 10] [--repeats 3] [--costs]

Needs the prepared dataset and its trained network. The same cells on one and on two processes, by joblib and on a Dask
cluster over TCP on 127.0.0.1, one thread per cell, in turns; every table must have the same bytes. `--costs`: cells of
different sizes instead, in CPU seconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from pipeline.config.params import Params, load
from pipeline.paths import Paths
from pipeline.sweeps.grid import parse_grid
from pipeline.sweeps.sweep import Sweep

SPEEDS = [round(1.5 + 0.1 * n, 1) for n in range(8)]
SIZES = [
    {"frames": 5},
    {"frames": 10},
    {"frames": 20},
    {"frames": 10, "substeps": 6},
    {"frames": 10, "draws": 4},
    {"frames": 10, "products": 2},
]


def scratch(folder: Path) -> Paths:
    """A project that shares frames and networks with the one here."""
    for name in ("data", "models"):
        (folder / name).symlink_to(Path(name).resolve())
    return Paths(folder)


def swept(params: Params, dataset: str, axes: dict[str, Any]) -> tuple[float, bytes, pd.DataFrame]:
    """Seconds of wall clock, the table as written, and the costs."""
    grid = parse_grid({"datasets": [dataset], "methods": {"tangent_flow": axes}, "seeds": [100]}, "scaling")
    with tempfile.TemporaryDirectory() as folder:
        paths = scratch(Path(folder))
        began = time.perf_counter()
        for outcome in Sweep("scaling", grid, params, paths).run():
            assert outcome.result is not None, outcome.message
        took = time.perf_counter() - began
        written = paths.sweep("scaling")
        return took, (written / "sweep.csv").read_bytes(), pd.read_csv(written / "costs.csv")


@contextmanager
def place(kind: str, processes: int) -> Iterator[None]:
    """Where the next sweep runs; a cluster is up before the clock starts."""
    os.environ["MANEX_WORKERS"] = str(processes)
    os.environ.pop("MANEX_SCHEDULER", None)
    if kind == "joblib":
        yield
        return
    from distributed import LocalCluster

    with LocalCluster(n_workers=processes, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        os.environ["MANEX_SCHEDULER"] = cluster.scheduler_address
        yield


def scaling(params: Params, dataset: str, frames: int, repeats: int) -> None:
    """Wall clock of the same eight cells, every way in turn."""
    ways = [(kind, processes) for kind in ("joblib", "Dask") for processes in (1, 2)]
    times: dict[tuple[str, int], list[float]] = {way: [] for way in ways}
    cpu: dict[tuple[str, int], list[float]] = {way: [] for way in ways}
    tables = set()
    for _ in range(repeats):
        for way in ways:
            with place(*way):
                took, table, costs = swept(params, dataset, {"speed": SPEEDS, "frames": frames})
            times[way].append(took)
            cpu[way].append(costs["cpu_seconds"].sum())
            tables.add(table)
    print(f"{len(SPEEDS)} cells of {frames} frames, {repeats} repeats; load average {os.getloadavg()[0]:.1f}")
    print("where   processes   seconds, median (least-most)   speed-up   CPU seconds of the cells")
    for kind, processes in ways:
        took, alone = times[kind, processes], statistics.median(times[kind, 1])
        middle, used = statistics.median(took), statistics.median(cpu[kind, processes])
        span = f"{middle:.1f} ({min(took):.1f}-{max(took):.1f})"
        print(f"{kind:7} {processes:9}   {span:28}   {alone / middle:8.2f}   {used:10.1f}")
    print("tables:", "the same bytes" if len(tables) == 1 else "NOT the same")


def costs(params: Params, dataset: str) -> None:
    """CPU seconds of cells of different sizes, and a network evaluation's share of each."""
    base = params.method(dataset, "tangent_flow").model_dump()
    print("frames substeps draws products   CPU seconds   milliseconds a frame, substep and draw")
    for size in SIZES:
        cfg = {**base, **size}
        with place("joblib", 1):
            swept(params, dataset, size)  # warms caches up
            _, _, table = swept(params, dataset, size)
        seconds, units = float(table["cpu_seconds"].iloc[0]), cfg["frames"] * cfg["substeps"] * cfg["draws"]
        numbers = f"{cfg['frames']:6} {cfg['substeps']:8} {cfg['draws']:5} {cfg['products']:8}"
        print(f"{numbers}   {seconds:11.2f}   {1000 * seconds / units:11.1f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--dataset", default="rotated_mnist")
    parser.add_argument("--frames", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--costs", action="store_true")
    chosen = parser.parse_args()
    settings = load(Path("params.yaml"))
    if chosen.costs:
        costs(settings, chosen.dataset)
    else:
        scaling(settings, chosen.dataset, chosen.frames, chosen.repeats)

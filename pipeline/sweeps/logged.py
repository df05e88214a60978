"""A sweep in MLflow: a parent run with the table and the picture, one child per cell. Made after all is written.

A cell is found again by its key and its status, so that a second sweep adds what is new and replaces what has failed
before.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

from pipeline.progress import track
from pipeline.sweeps.sweep import Row, Sweep
from pipeline.tracking.outcomes import flat
from pipeline.tracking.store import Tracker, quiet

FILES = ("sweep.csv", "costs.csv", "heatmap.png", "heatmap.svg")


def log(sweep: Sweep, tracker: Tracker) -> int:
    """Make the runs of all cells that were tried; how many were new."""
    with quiet():
        parent, present = _parent(sweep, tracker), 0
        there = dict(_children(tracker, parent))
        tried = [row for row in sweep.rows if row.key]
        for row in track(tried, f"sweep {sweep.name}, MLflow", len(tried)):
            state = f"{row.key} {row.status}"
            if state in there:
                present += 1
                continue
            for stale in (run for told, run in there.items() if told.startswith(row.key)):
                tracker.client.delete_run(stale)
            _child(tracker, parent, row, state)
        done = [row.numbers["dtw_ssid"] for row in sweep.rows if row.numbers]
        counts = {"done": float(len(done)), "failed": float(len(sweep.failed))}
        best = {"best_dtw_ssid": min(done)} if done else {}
        tracker.add(parent, [(0, {**counts, **best})], [_now()])
        for name in FILES:
            tracker.client.log_artifact(parent, str(sweep.store.folder / name))
        tracker.client.set_terminated(parent, "FINISHED")
    return len(tried) - present


def _parent(sweep: Sweep, tracker: Tracker) -> str:
    query = f"tags.`manex.sweep` = '{sweep.name}'"
    found = tracker.client.search_runs([tracker.experiment], filter_string=query, max_results=1)
    if found:
        return str(found[0].info.run_id)
    tags = {"manex.sweep": sweep.name, "manex.stage": "sweep", "mlflow.source.name": "manex sweep"}
    return str(tracker.client.create_run(tracker.experiment, _now(), tags, f"sweep {sweep.name}").info.run_id)


def _children(tracker: Tracker, parent: str) -> Iterator[tuple[str, str]]:
    """State (key and status) and run of every cell that is there."""
    query, page = f"tags.`mlflow.parentRunId` = '{parent}'", None
    while True:
        runs = tracker.client.search_runs([tracker.experiment], filter_string=query, page_token=page)
        yield from ((run.data.tags["manex.key"], run.info.run_id) for run in runs if "manex.key" in run.data.tags)
        page = runs.token
        if not page:
            return


def _child(tracker: Tracker, parent: str, row: Row, state: str) -> None:
    measured = dict(row.measured or {})
    now, took = _now(), int(1000 * measured.get("seconds", 0))
    named = {name: str(row.names[name]) for name in ("dataset", "method")}
    tags = {**named, "mlflow.parentRunId": parent, "manex.stage": "sweep", "mlflow.source.name": "manex sweep"}
    tags |= {"manex.node": str(measured.pop("node", ""))} | (
        {"manex.message": row.message[:5000]} if row.message else {}
    )
    run_id = str(tracker.client.create_run(tracker.experiment, now - took, tags, str(row)).info.run_id)
    settings = row.cell.point.entry.model_dump(mode="json")
    tracker.settle(run_id, flat({**settings, "seed": row.cell.seed, "train_seed": row.cell.train_seed}))
    known = {name: value for name, value in (row.numbers or {}).items() if math.isfinite(value)}
    tracker.add(run_id, [(0, {**known, **measured})], [now])
    tracker.client.set_tag(run_id, "manex.key", state)
    tracker.client.set_terminated(run_id, "FINISHED" if row.status == "done" else "FAILED", end_time=now)


def _now() -> int:
    return int(time.time() * 1000)

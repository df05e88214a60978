"""A sweep in MLflow: a parent run that holds the table and the picture, one child per cell. Made after all is written.

A cell is found again by its key and its status: a second sweep adds what is new and replaces what failed before.
"""

from __future__ import annotations

from pipeline.config.methods import MethodEntry
from pipeline.progress import track
from pipeline.sweeps.sweep import Row, Sweep
from pipeline.tracking.outcomes import flat
from pipeline.tracking.store import Tracker, quiet
from pipeline.tracking.sync import now

FILES = ("sweep.csv", "costs.csv", "heatmap.png", "heatmap.svg")
TAGS = {"manex.stage": "sweep", "mlflow.source.name": "manex sweep"}


def log(sweep: Sweep, tracker: Tracker) -> int:
    """Make the runs of all cells that were tried; how many were new."""
    with quiet():
        parent, new = tracker.parent("sweep", sweep.name, now(), TAGS), 0
        children = tracker.mine(f"tags.`mlflow.parentRunId` = '{parent}'")
        there = {run.data.tags["manex.key"]: run.info.run_id for run in children if "manex.key" in run.data.tags}
        tried = [row for row in sweep.rows if row.key]
        for row in track(tried, f"sweep {sweep.name}, MLflow", len(tried)):
            state = f"{row.key} {row.status}"
            if state in there:
                continue
            for stale in (run for key, run in there.items() if key.startswith(row.key)):
                tracker.client.delete_run(stale)
            _child(tracker, parent, row, state)
            new += 1
        done = [row.numbers["dtw_ssid"] for row in sweep.rows if row.numbers]
        counts = {"done": float(len(done)), "failed": float(len(sweep.failed))}
        best = {"best_dtw_ssid": min(done)} if done else {}
        tracker.add(parent, [(0, counts | best)], now())
        for name in FILES:
            tracker.client.log_artifact(parent, str(sweep.store.folder / name))
        tracker.client.set_terminated(parent, "FINISHED")
    return new


def _child(tracker: Tracker, parent: str, row: Row, state: str) -> None:
    measured = dict(row.measured or {})
    ended = now()
    named = {name: str(row.names[name]) for name in ("dataset", "method")}
    tags = {
        **TAGS,
        **named,
        "mlflow.parentRunId": parent,
        "manex.owner": tracker.owner,
        "manex.node": str(measured.pop("node", "")),
    }
    if row.message:
        tags["manex.message"] = row.message[:5000]
    started = ended - int(1000 * measured.get("seconds", 0))
    run_id = str(tracker.client.create_run(tracker.experiment, started, tags, str(row)).info.run_id)
    entry = row.cell.point.entry
    assert isinstance(entry, MethodEntry)
    tracker.settle(run_id, flat({**entry.spelled_out, "seed": row.cell.seed, "train_seed": row.cell.train_seed}))
    tracker.add(run_id, [(0, (row.numbers or {}) | measured)], ended)
    tracker.finish(run_id, state, ended, "FINISHED" if row.status == "done" else "FAILED")

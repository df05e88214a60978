"""Records as stages write them, and what MLflow made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pipeline.paths import Paths
from pipeline.tracking import store

FIGURE = "rotated_mnist_paths.png"
TABLE = "dataset,protocol,method,dtw_ssid,not_run\nrotated_mnist,paper,linear,0.4,\nrotated_mnist,paper,vae,,too slow\n"
METRIC = "rotated_mnist paper dtw_ssid/linear"
READ = {"dataset": "rotated_mnist", "model": "resunet"}
TRACE: dict[str, dict[str, object]] = {"settings": {}, "inputs": {}, "outputs": {}}
"""Of a run that read and made nothing: it is always of what is here."""
NOTHING = {"metrics": {}, "series": [], "files": [], "dataset": "", "model": "", "trace": TRACE}


def write_record(paths: Paths, stage: str, item: str, params: dict[str, object], **facts: object) -> Path:
    path = paths.record(stage, item)
    path.parent.mkdir(parents=True, exist_ok=True)
    fixed = {"started": "2026-01-02T03:04:05.000+00:00", "seconds": 60.0, "cpu_seconds": 59.0, "machine": "a machine"}
    record = {"stage": stage, "item": item, "params": params, **fixed, "commit": "0123456789ab+", "lock": "12345678"}
    path.write_text(json.dumps({**record, **NOTHING, **facts}))
    return path


def logged(paths: Paths) -> dict[str, Any]:
    tracker = store.Tracker(paths)
    with store.quiet():
        found = tracker.client.search_runs([tracker.experiment])
    return {run.data.tags["dvc.stage"]: run for run in found if "dvc.stage" in run.data.tags}


def revisions(paths: Paths) -> dict[str, Any]:
    tracker = store.Tracker(paths)
    with store.quiet():
        found = tracker.client.search_runs([tracker.experiment])
    return {run.data.tags["manex.revision"]: run for run in found if "manex.revision" in run.data.tags}


def write_results(paths: Paths, **facts: object) -> None:
    """The records of `table` and `figures`, and what they name."""
    paths.figures.mkdir(parents=True, exist_ok=True)
    (paths.figures / FIGURE).write_bytes(b"png")
    (paths.reports / "table1.csv").write_text(TABLE)
    files = [path.relative_to(paths.root).as_posix() for path in (paths.reports / "table1.csv", paths.figures / FIGURE)]
    write_record(paths, "table", "", {}, metrics={METRIC: 0.4}, files=files[:1], **facts)
    write_record(paths, "figures", "", {}, files=files[1:], **facts)


def shown_table(paths: Paths, name: str) -> dict[str, Any]:
    (parent,) = revisions(paths).values()
    assert {"path": name, "type": "table"} in json.loads(parent.data.tags["mlflow.loggedArtifacts"])
    return dict(json.loads(Path(store.Tracker(paths).client.download_artifacts(parent.info.run_id, name)).read_text()))

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from walkers import finished, sweep

from pipeline.paths import Paths
from pipeline.sweeps.logged import log
from pipeline.tracking import store
from pipeline.tracking import sync as runs

GRID = {"methods": {"linear": {"eta": [1, 1e39]}, "persistence": {}, "absent": {}}}
"""Two cells that are done, one that fails, one that is not run."""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    with store.quiet():
        store.client_of(f"sqlite:///{path}")
    return path


@pytest.fixture
def tracked(paths: Paths, database: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MANEX_TRACKING", "on")
    shutil.copy(database, paths.mlflow)
    return paths


def logged(paths: Paths, grid: dict[str, Any] = GRID, **options: bool) -> int:
    job = sweep(paths, **grid)
    finished(job, **options)
    return runs.log_sweep(paths, partial(log, job))


def everything(paths: Paths) -> tuple[Any, list[Any]]:
    """The parent, and its children."""
    tracker = store.Tracker(paths)
    with store.quiet():
        found = tracker.client.search_runs([tracker.experiment])
    (parent,) = [run for run in found if "manex.sweep" in run.data.tags]
    children = [run for run in found if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert len(children) == len(found) - 1
    return parent, children


def test_a_sweep_is_a_parent_with_a_child_for_every_cell_that_was_tried(tracked: Paths) -> None:
    assert logged(tracked) == 3
    parent, children = everything(tracked)
    assert {name: parent.data.metrics[name] for name in ("done", "failed")} == {"done": 2, "failed": 1}
    artifacts = {file.path for file in store.Tracker(tracked).client.list_artifacts(parent.info.run_id)}
    assert artifacts == {"sweep.csv", "costs.csv", "heatmap.png", "heatmap.svg"}
    by_method = {(run.data.tags["method"], run.data.params.get("eta")): run for run in children}
    assert {key: run.info.status for key, run in by_method.items()} == {
        ("linear", "1.0"): "FINISHED",
        ("linear", "1e+39"): "FAILED",
        ("persistence", None): "FINISHED",
    }
    done, failed = by_method["linear", "1.0"], by_method["linear", "1e+39"]
    assert 0 < done.data.metrics["dtw_ssid"] < 2
    assert done.data.params["seed"] == "100"
    assert failed.data.tags["manex.message"]
    assert parent.data.metrics["best_dtw_ssid"] == min(
        run.data.metrics["dtw_ssid"] for run in children if run.info.status == "FINISHED"
    )


def test_a_second_logging_adds_what_is_new_and_nothing_else(tracked: Paths) -> None:
    small = {"methods": {"linear": {}}}
    assert [logged(tracked, small), logged(tracked, small), logged(tracked)] == [1, 0, 2]
    assert len(everything(tracked)[1]) == 3


def test_without_tracking_nothing_is_logged(tracked: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANEX_TRACKING", "off")
    tracked.mlflow.unlink()
    assert logged(tracked) == 0
    assert not tracked.mlflow.exists()

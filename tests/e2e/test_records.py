"""DVC brings results back without a run: MLflow, times and costs then are of those results, or of none."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from running import run

from pipeline.paths import Paths
from pipeline.tracking.store import Tracker, quiet

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
PARAMS = """\
profile: cpu
reports: reports
sources: []
datasets: [walker]
models: [resunet]
methods: [linear]
analyses: []
data:
  walker: {kind: walker, people: 2, size: 16, frames: 8, held_out: 3, dense: 40}
train:
  walker:
    resunet: {network: resunet, widths: [4], steps: 4, batch: 4, record_every: 2, learning_rate: 0.02}
trials: {seeds: [100]}
extrapolate:
  walker:
    linear: {algorithm: linear, frames: 3, sigma_255: 15, eta: 1}
analyse: {walker: {}}
"""
WALK = "walker-linear"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in git, computed with sigma 15, 25 and 15 again, and then a queued experiment with 35."""
    folder = tmp_path_factory.mktemp("records") / "project"
    for name in ("manex", "pipeline"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", ".dvcignore", ".gitignore"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "data" / "own").mkdir(parents=True)
    (folder / "data" / "own" / "README.md").touch()
    (folder / "params.yaml").write_text(PARAMS)
    git(folder, "init", "--quiet")
    run(folder, "init", "--quiet", module="dvc")
    for sigma in (15, 25, 15):
        (folder / "params.yaml").write_text(PARAMS.replace("sigma_255: 15", f"sigma_255: {sigma}"))
        said = run(folder, "repro", module="dvc")
    assert f"Stage 'evaluate@{WALK.partition('-')[0]}' is cached" in said
    return folder


def git(folder: Path, *words: str) -> None:
    run(folder, "git", "-c", "user.name=a", "-c", "user.email=a@b", *words)


def scores(project: Path) -> dict[float, float]:
    """The score of each noise level that MLflow shows."""
    with quiet():
        found = Tracker(Paths(project)).search(f"tags.`dvc.stage` = 'evaluate@{WALK}'")
    return {float(one.data.params["sigma_255"]): one.data.metrics["dtw_ssid"] for one in found}


def score_here(project: Path) -> float:
    table = pd.read_csv(project / "data" / "scores" / "walker" / "scores.csv")
    return float(table["dtw_ssid"].mean())


def test_settings_stand_beside_their_own_scores(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    latest = json.loads((project / "reports" / "records" / "evaluate" / f"{WALK}.json").read_text())
    assert latest["params"]["sigma_255"] == 25  # what ran last is not what is here
    run(project, "track", "sync", module="pipeline")
    assert scores(project) == {15: pytest.approx(score_here(project), rel=1e-5)}
    costs = pd.read_csv(project / "reports" / "costs.csv").set_index("stage")
    kept = (project / "reports" / "records" / "earlier" / "extrapolate" / WALK).glob("*.json")
    walks = {one["params"]["sigma_255"]: one for one in (json.loads(path.read_text()) for path in kept)}
    assert walks.keys() == {15, 25}
    assert costs.loc["extrapolate", "seconds"] == pytest.approx(walks[15]["seconds"], rel=1e-5)


def test_a_queued_experiment_leaves_records_that_are_used_when_it_is_applied(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", "results")
    setting = f"extrapolate.walker.{WALK.partition('-')[2]}.sigma_255=35"
    run(project, "exp", "run", "--temp", "--name", "thirty-five", "--set-param", setting, module="dvc")
    run(project, "track", "sync", module="pipeline")
    assert 35 not in scores(project)
    run(project, "exp", "apply", "thirty-five", module="dvc")
    said = run(project, "track", "sync", module="pipeline")
    assert "left out" not in said
    assert scores(project)[35] == pytest.approx(score_here(project), rel=1e-5)

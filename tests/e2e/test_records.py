"""DVC brings results back without a run: MLflow, times and costs then are of those results, or of none."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from running import ONE_WALK, make, run

from pipeline.paths import Paths
from pipeline.tracking.store import Tracker, quiet

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]

WALK = "walker-linear"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in git, computed with sigma 15, 25 and 15 again, and then a queued experiment with 35."""
    folder = tmp_path_factory.mktemp("records") / "project"
    make(folder, ONE_WALK, git=True)
    for sigma in (15, 25, 15):
        (folder / "params.yaml").write_text(ONE_WALK.replace("sigma_255: 15", f"sigma_255: {sigma}"))
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
    assert seconds_shown(project) == pytest.approx(seconds_of_walks(project)[15], rel=1e-5)


def seconds_shown(project: Path) -> float:
    """What `manex times` says that the walk took."""
    run(project, "times", module="pipeline")
    return float(pd.read_csv(project / "reports" / "costs.csv").set_index("stage")["seconds"]["extrapolate"])


def seconds_of_walks(project: Path) -> dict[float, float]:
    """What the walk took at each noise level, from the records."""
    kept = (project / "reports" / "records" / "earlier" / "extrapolate" / WALK).glob("*.json")
    records = [json.loads(path.read_text()) for path in kept]
    return {record["params"]["sigma_255"]: record["seconds"] for record in records}


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


def test_an_earlier_commit_brings_its_own_scores_and_times(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for sigma in (15, 25):
        (project / "params.yaml").write_text(ONE_WALK.replace("sigma_255: 15", f"sigma_255: {sigma}"))
        run(project, "repro", module="dvc")
        git(project, "add", "--all")
        git(project, "commit", "--quiet", "--allow-empty", "--message", f"sigma {sigma}")
    for commit, sigma in (("HEAD~1", 15), ("-", 25)):
        git(project, "checkout", "--quiet", commit)
        run(project, "checkout", module="dvc")
        run(project, "track", "sync", module="pipeline")
        assert scores(project)[sigma] == pytest.approx(score_here(project), rel=1e-5)
        assert seconds_shown(project) == pytest.approx(seconds_of_walks(project)[sigma], rel=1e-5)

"""From the stages of a tiny project to MLflow: what each run holds is what the project's files hold."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import tiny
import torch

from pipeline.paths import Paths
from pipeline.tracking import store
from pipeline.tracking import sync as runs

pytestmark = pytest.mark.slow

D = tiny.DATASET
CELLS = [f"train@{D}-resunet", f"evaluate@{D}-linear", f"evaluate@{D}-walked", f"analyse@{D}-geometry"]
EXPECTED = {*CELLS, f"analyse@{D}-spectrum", f"analyse@{D}-card", "findings", "table", "figures"}


@pytest.fixture(scope="module")
def paths(tiny_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paths]:
    """The project, with everything in MLflow."""
    root = Path(shutil.copytree(tiny_project, tmp_path_factory.mktemp("tracked") / "project"))
    paths = Paths(root, tiny.REPORTS)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.setenv("MANEX_TRACKING", "on")
        assert runs.sync(paths) == runs.Counts(logged=len(EXPECTED), present=0, damaged=0)
        yield paths
    torch.use_deterministic_algorithms(False)


def found(paths: Paths) -> dict[str, Any]:
    """Runs by the name of their cell; the parent by the name "parent"."""
    with store.quiet():
        every = store.Tracker(paths).search("")
    return {run.data.tags.get("dvc.stage", "parent"): run for run in every}


def history(paths: Paths, run: Any, name: str) -> dict[int, float]:
    points = store.Tracker(paths).client.get_metric_history(run.info.run_id, name)
    return {point.step: point.value for point in points}


def artifacts(paths: Paths, run: Any, folder: str | None = None) -> set[str]:
    return {file.path for file in store.Tracker(paths).client.list_artifacts(run.info.run_id, folder)}


def test_every_cell_is_a_finished_run_below_the_revision(paths: Paths) -> None:
    every = found(paths)
    parent = every.pop("parent")
    assert every.keys() == EXPECTED
    assert {run.info.status for run in every.values()} == {"FINISHED"}
    assert {run.data.tags["mlflow.parentRunId"] for run in every.values()} == {parent.info.run_id}


def test_a_second_sync_makes_no_run(paths: Paths) -> None:
    before = found(paths)
    assert runs.sync(paths) == runs.Counts(logged=0, present=len(EXPECTED), damaged=0)
    assert found(paths).keys() == before.keys()


def test_a_training_holds_its_settings_and_its_history(paths: Paths) -> None:
    run = found(paths)[f"train@{D}-resunet"]
    assert {"network": "resunet", "steps": "4", "widths": "[4]"}.items() <= run.data.params.items()
    rows = pd.read_csv(paths.model(D, "resunet") / "history.csv").set_index("step")
    for name in rows:
        assert history(paths, run, name) == pytest.approx(rows[name].to_dict(), rel=1e-5)
    assert artifacts(paths, run) == {f"{D}-resunet.json", "history.csv", "model.json"}


def test_a_walk_holds_its_scores_by_trial_and_by_frame(paths: Paths) -> None:
    run = found(paths)[f"evaluate@{D}-walked"]
    scores, frames = (pd.read_csv(paths.scores(D) / f"{name}.csv") for name in ("scores", "frames"))
    scores, frames = (table[table["method"] == "walked"] for table in (scores, frames))
    by_trial = scores.groupby("trial")["dtw_ssid"].mean()
    assert history(paths, run, "trial/dtw_ssid") == pytest.approx(by_trial.to_dict(), rel=1e-5)
    assert run.data.metrics["dtw_ssid"] == pytest.approx(by_trial.mean(), rel=1e-5)
    by_frame = frames.groupby("frame")["aligned_distance"].mean()
    assert history(paths, run, "frame/aligned_distance") == pytest.approx(by_frame.to_dict(), rel=1e-5)


def test_a_walk_names_its_settings_its_denoiser_and_its_times(paths: Paths) -> None:
    run = found(paths)[f"evaluate@{D}-walked"]
    expected = {"algorithm": "tangent_flow", "denoiser": "resunet", "sigma_255": "25.0", "substeps": "1"}
    assert expected.items() <= run.data.params.items()
    walk = json.loads(paths.record("extrapolate", f"{D}-walked").read_text())
    for name in ("seconds", "seconds_per_frame"):
        assert run.data.metrics[f"extrapolate/{name}"] == walk[name]
    made = store.Tracker(paths).client.get_run(run.info.run_id).inputs.model_inputs
    trained = found(paths)[f"train@{D}-resunet"].outputs.model_outputs
    assert [model.model_id for model in made] == [model.model_id for model in trained]


def test_an_analysis_holds_the_means_of_its_tables_and_the_tables(paths: Paths) -> None:
    run = found(paths)[f"analyse@{D}-geometry"]
    rows = pd.read_csv(paths.analysis(D, "geometry") / "denoisers.csv")
    assert run.data.metrics["denoisers/psnr"] == pytest.approx(rows["psnr"].mean(), rel=1e-5)
    assert "denoisers.csv" in artifacts(paths, run)


def test_the_parent_holds_table_1_the_claims_and_the_figures(paths: Paths) -> None:
    parent = found(paths)["parent"]
    table = pd.read_csv(paths.reports / "table1.csv")
    expected = {f"{row.dataset} {row.protocol} dtw_ssid/{row.method}": row.dtw_ssid for row in table.itertuples()}
    claims = pd.read_csv(paths.reports / "findings.csv")
    judged = claims[claims["verdict"] != "not run"]
    expected |= {f"claim/{row.id}": row.value for row in judged.itertuples()}
    assert parent.data.metrics == pytest.approx(expected, rel=1e-5)
    assert {f"tiny/{name}" for name in ("table1.csv", "table1.md", "table1.json")} <= artifacts(paths, parent, "tiny")
    drawn = {f"tiny/figures/{path.name}" for path in paths.figures.iterdir()}
    assert artifacts(paths, parent, "tiny/figures") == drawn != set()


def test_a_cell_computed_again_adds_one_run(paths: Paths, tmp_path: Path) -> None:
    kept = shutil.copy(paths.record("evaluate", f"{D}-linear"), tmp_path)
    assert tiny.manex(paths.root, "evaluate", D).code == 0  # logs its two runs itself
    assert runs.sync(paths) == runs.Counts(logged=0, present=len(EXPECTED), damaged=0)
    assert Path(kept).read_bytes() != paths.record("evaluate", f"{D}-linear").read_bytes()

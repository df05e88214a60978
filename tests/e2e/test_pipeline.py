"""The whole pipeline as a stranger runs it: a fresh clone, the smoke profile, `dvc repro`."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from running import run

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
COLUMNS = (
    "dataset,protocol,method,dtw_ssid,dtw_ssid_sd,dtw_ssid_greedy,coverage,reversals,seconds_per_frame,trials,videos"
)
PARAMS = YAML(typ="safe", pure=True).load((ROOT / "profiles" / "smoke.yaml").read_text())
REPORTS = PARAMS["reports"]
CELLS = [(dataset, method) for dataset in PARAMS["datasets"] for method in PARAMS["methods"]]
TRAININGS = [(dataset, model) for dataset in PARAMS["datasets"] for model in PARAMS["models"]]
ONE_OF_EACH = [
    "fetch@mnist",
    "prepare@rotated_mnist",
    "train@rotated_mnist-resunet",
    "extrapolate@rotated_mnist-tangent_flow",
    "evaluate@rotated_mnist",
    "analyse@rotated_mnist-geometry",
    "analyse@rotated_mnist-card",
    "findings",
    "table",
    "figures",
]


def clone(folder: Path) -> None:
    """The files of the project as they are here, committed; without what the pipeline made."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        for name in filter(None, listed.stdout.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, folder / name)
    else:  # an unpacked archive
        left_out = shutil.ignore_patterns(".venv", ".git", "__pycache__", ".*_cache", "cache", "data", "models", "ml*")
        shutil.copytree(ROOT, folder, ignore=left_out, dirs_exist_ok=True)
    (folder / "dvc.lock").unlink(missing_ok=True)
    run(folder, "git", "init", "--quiet")
    run(folder, "git", "add", "--all")
    run(folder, "git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "clone")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which everything was computed once."""
    folder = tmp_path_factory.mktemp("e2e") / "project"
    folder.mkdir()
    clone(folder)
    run(folder, "profile", "use", "smoke", module="pipeline")
    run(folder, "repro", module="dvc")
    return folder


@pytest.fixture(scope="module")
def rows(project: Path) -> list[dict[str, str]]:
    with (project / REPORTS / "table1.csv").open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_table_1_has_the_columns_of_the_contract_in_order(rows: list[dict[str, str]]) -> None:
    assert ",".join(rows[0]).startswith(f"{COLUMNS},")


def test_table_1_has_a_row_for_every_dataset_and_method(rows: list[dict[str, str]]) -> None:
    assert [(row["dataset"], row["method"]) for row in rows] == CELLS
    assert {row["protocol"] for row in rows} == {"paper"}


def test_every_row_scores_all_trials_and_videos(rows: list[dict[str, str]]) -> None:
    trials, videos = str(len(PARAMS["trials"]["seeds"])), str(len(PARAMS["fetch"]["mnist"]["indices"]))
    assert {(row["trials"], row["videos"]) for row in rows} == {(trials, videos)}


def test_distances_lie_between_0_and_2_and_coverage_between_0_and_1(rows: list[dict[str, str]]) -> None:
    """1 - SSIM does: SSIM lies between -1 and 1."""
    for row in rows:
        assert 0 < float(row["dtw_ssid"]) < 2
        assert 0 < float(row["dtw_ssid_greedy"]) < 2
        assert 0 <= float(row["coverage"]) <= 1


def test_the_table_in_words_holds_every_method(project: Path) -> None:
    text = (project / REPORTS / "table1.md").read_text()
    for dataset, method in CELLS:
        assert f"\n| {method} | " in text.split(f"## {dataset}\n")[1]


def test_metrics_hold_the_table_and_the_trainings(project: Path, rows: list[dict[str, str]]) -> None:
    metrics = json.loads((project / REPORTS / "metrics.json").read_text())
    for row in rows:
        assert metrics[row["dataset"]][row["method"]]["dtw_ssid"] == float(row["dtw_ssid"])
    for dataset, model in TRAININGS:
        found = metrics["training"][dataset][model]
        assert found["steps"] == PARAMS["train"][dataset][model]["steps"]
        if PARAMS["train"][dataset][model]["network"] != "vae":
            assert found["psnr_held_out_25"] > 0
            assert found["psnr_train_25"] > 0


def test_tracked_outputs_do_not_say_where_they_were_made(project: Path) -> None:
    tracked = [project / "dvc.lock", *(project / REPORTS).glob("table1.*"), *(project / "models").rglob("*.json")]
    assert len(tracked) == 3 + 2 * len(TRAININGS)  # model.json and sha256.json
    assert [path for path in tracked if str(project) in path.read_text()] == []


def test_figures_are_drawn(project: Path) -> None:
    drawn = {path.name for path in (project / REPORTS / "figures").iterdir()}
    kinds = ("videos", "paths", "alignment", "spectrum", "psnr")
    expected = {"walk", "comparison", *(f"{d}_{kind}" for d in PARAMS["datasets"] for kind in kinds)}
    assert drawn == {f"{name}.{kind}" for name in expected for kind in ("png", "svg")}


def test_a_second_repro_runs_nothing(project: Path) -> None:
    before = (project / "dvc.lock").read_bytes()
    said = run(project, "repro", module="dvc")
    assert "Running stage" not in said
    assert "up to date" in said
    assert (project / "dvc.lock").read_bytes() == before


def test_a_forced_run_of_every_kind_of_stage_gives_the_same_bytes(project: Path) -> None:
    before = (project / "dvc.lock").read_text()
    said = run(project, "repro", "--force", "--single-item", *ONE_OF_EACH, module="dvc")
    assert said.count("Running stage") == len(ONE_OF_EACH)
    assert (project / "dvc.lock").read_text() == before


def test_dvc_shows_the_metrics(project: Path) -> None:
    shown = json.loads(run(project, "metrics", "show", "--json", module="dvc"))
    assert f"{REPORTS}/metrics.json" in shown[""]["data"]


def test_mlflow_gets_a_run_for_every_training_and_cell_and_no_second_one(project: Path) -> None:
    expected = {f"train@{d}-{m}" for d, m in TRAININGS} | {f"evaluate@{d}-{m}" for d, m in CELLS}
    expected |= {f"analyse@{d}-{a}" for d in PARAMS["datasets"] for a in PARAMS["analyses"]}
    expected |= {"findings", "table", "figures"}
    assert f"{len(expected)} runs logged, 0 there already" in run(project, "track", "sync", module="pipeline")
    assert f"0 runs logged, {len(expected)} there already" in run(project, "track", "sync", module="pipeline")
    reader = (
        "import json, sys, warnings; warnings.simplefilter('ignore')\n"
        "from mlflow.tracking import MlflowClient\n"
        "client = MlflowClient(sys.argv[1])\n"
        "found = client.search_runs([e.experiment_id for e in client.search_experiments()], max_results=500)\n"
        "print(json.dumps([[r.data.tags, r.data.params, r.data.metrics, r.info.status] for r in found]))\n"
    )
    said = run(project, sys.executable, "-c", reader, f"sqlite:///{project / 'mlflow.db'}")
    found = json.loads(said.splitlines()[-1])
    runs = {tags["dvc.stage"]: rest for tags, *rest in found if "dvc.stage" in tags}
    (parent,) = [tags for tags, *_ in found if "dvc.stage" not in tags]
    assert "manex.revision" in parent
    assert len(found) == len(runs) + 1
    assert runs.keys() == expected
    assert {status for _, _, status in runs.values()} == {"FINISHED"}
    parameters, metrics, _ = runs["train@rotated_mnist-resunet"]
    assert parameters["steps"] == str(PARAMS["train"]["rotated_mnist"]["resunet"]["steps"])
    assert metrics["psnr_held_out_25"] > 0
    assert 0 < runs["evaluate@rotated_mnist-tangent_flow"][1]["dtw_ssid"] < 2

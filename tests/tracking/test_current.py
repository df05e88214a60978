"""Records are used beside the settings, data and results they are of, and no others."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from records import logged, write_record

from pipeline.cli.times import times_table
from pipeline.paths import Paths
from pipeline.storage.digest import digest
from pipeline.tracking import record
from pipeline.tracking import sync as runs

DVC = """\
stages:
  analyse:
    matrix: {dataset: "${datasets}", analysis: "${analyses}"}
    params: ["analyse.${item.dataset}.${item.analysis}"]
    deps: ["data/prepared/${item.dataset}"]
    outs: ["data/analyses/${item.dataset}/${item.analysis}"]
"""
CELL = "analyse@rotated_mnist-spectrum"
ITEM = "rotated_mnist-spectrum"


@pytest.fixture
def project(paths: Paths) -> Paths:
    (paths.root / "dvc.yaml").write_text(DVC)
    set_sigma(paths, 15)
    return paths


def set_sigma(paths: Paths, sigma: int) -> None:
    paths.params.write_text(f"analyse: {{rotated_mnist: {{spectrum: {{sigma: {sigma}}}}}}}\n")


def score_file(paths: Paths) -> Path:
    path = paths.analysis("rotated_mnist", "spectrum") / "score.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def analyse(paths: Paths, sigma: int) -> bytes:
    """A run whose score is its noise level."""
    set_sigma(paths, sigma)
    with record.recorded(paths, "analyse", ITEM, {"sigma": sigma}) as run:
        score_file(paths).write_text(f"{sigma}\n")
        run.metrics, run.files = {"score": sigma}, [score_file(paths)]
    return score_file(paths).read_bytes()


def told(paths: Paths, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    runs.sync(paths)
    return capsys.readouterr().err


def test_results_that_dvc_restores_come_with_the_record_of_their_own_run(project: Paths) -> None:
    first = analyse(project, 15)
    analyse(project, 25)
    set_sigma(project, 15)
    score_file(project).write_bytes(first)  # as DVC's run cache does
    runs.sync(project)
    run = logged(project)[CELL]
    assert (run.data.params["sigma"], run.data.metrics["score"]) == ("15", 15)
    assert record.current_record(project, "analyse", ITEM)["params"] == {"sigma": 15}


@pytest.mark.parametrize("change", ["settings", "data", "results", "absence", "an earlier version"])
def test_a_record_of_something_else_is_left_out_and_named(
    change: str, project: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    analyse(project, 25)
    path = project.record("analyse", ITEM)
    named = "data/analyses/rotated_mnist/spectrum"
    if change == "settings":
        set_sigma(project, 15)
        named = "params.yaml: analyse.rotated_mnist.spectrum"
    elif change == "data":
        (project.prepared("rotated_mnist") / "frames.safetensors").write_bytes(b"others")
        named = "data/prepared/rotated_mnist"
    elif change == "results":
        score_file(project).write_text("15\n")
    elif change == "absence":
        score_file(project).unlink()
    else:
        values = json.loads(path.read_text())
        del values["trace"]
        path.write_text(json.dumps(values))
        for earlier in project.earlier("analyse", ITEM).iterdir():
            earlier.unlink()
        named = record.NO_HASHES
    assert f"{CELL} ({named})" in told(project, capsys)
    assert CELL not in logged(project)
    assert record.current_record(project, "analyse", ITEM) == {}
    table = times_table(project)
    assert f"{CELL} ({named})" in str(table.caption)
    assert ITEM not in [*table.columns[1].cells]


def test_the_record_comes_back_with_what_it_is_of(project: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    analyse(project, 25)
    score_file(project).write_text("15\n")
    assert CELL in told(project, capsys)
    score_file(project).write_text("25\n")
    assert told(project, capsys) == ""
    assert logged(project)[CELL].data.metrics["score"] == 25


def test_what_a_run_reads_is_hashed_before_and_what_it_makes_after(project: Paths) -> None:
    frames = project.prepared("rotated_mnist") / "frames.safetensors"
    with record.recorded(project, "analyse", ITEM, {}):
        score_file(project).write_text("1\n")
        frames.write_bytes(b"others")  # meanwhile
    assert record.current_record(project, "analyse", ITEM) == {}
    frames.write_bytes(b"frames")
    assert record.current_record(project, "analyse", ITEM) != {}


def test_a_queued_experiment_leaves_its_records_and_runs_in_the_project(project: Paths) -> None:
    copy = Paths(project.root / ".dvc" / "tmp" / "exps" / "standalone" / "tmp1")
    copy.root.mkdir(parents=True)
    (copy.root / "dvc.yaml").write_text(DVC)
    made = analyse(copy, 21)
    assert runs.log_record(copy, copy.record("analyse", ITEM))
    assert logged(project)[CELL].data.metrics["score"] == 21
    assert not copy.mlflow.is_relative_to(copy.root)
    set_sigma(project, 21)
    score_file(project).write_bytes(made)  # as `dvc exp apply` does
    (project.prepared("rotated_mnist") / "frames.safetensors").unlink()  # the copy had none
    project.prepared("rotated_mnist").rmdir()
    assert record.current_record(project, "analyse", ITEM)["params"] == {"sigma": 21}


def test_the_hash_of_a_folder_is_that_of_its_names_and_bytes(tmp_path: Path) -> None:
    def changed(name: str, text: str) -> str:
        (tmp_path / "a" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "a" / name).write_text(text)
        return digest(tmp_path / "a")

    seen = [digest(tmp_path / "a"), changed("x", "1"), changed("x", "2"), changed("y", ""), changed("b/x", "2")]
    assert len(set(seen)) == len(seen)
    assert changed(".x.partial", "3") == seen[-1]
    (tmp_path / "a" / "y").rename(tmp_path / "a" / "z")
    assert digest(tmp_path / "a") not in seen


def test_only_changes_in_the_folder_of_the_project_mark_its_commit(tmp_path: Path) -> None:
    def git(*words: str) -> None:
        names = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", "-C", str(tmp_path), *names, *words], check=True, capture_output=True)

    project = Paths(tmp_path / "project")
    project.root.mkdir()
    for path in (tmp_path / "other.txt", project.params):
        path.write_text("1\n")
    git("init")
    git("add", ".")
    git("commit", "-m", "one")
    (tmp_path / "other.txt").write_text("2\n")
    assert len(commit := record.commit_of(project)) == 12
    project.params.write_text("2\n")
    assert record.commit_of(project) == f"{commit}+"


def test_a_model_is_named_by_its_weights_and_not_by_the_time_of_its_training(project: Paths) -> None:
    from pipeline.tracking.store import Tracker

    weights = project.model("rotated_mnist", "resunet") / "weights"
    weights.parent.mkdir(parents=True)
    made = {}
    for steps in (1, 2):
        weights.write_text(str(steps))
        read = {"dataset": "rotated_mnist", "model": "resunet"}
        write_record(project, "train", "rotated_mnist-resunet", {"steps": steps}, **read)
        runs.sync(project)
        (made[steps],) = {
            model.model_id
            for run in Tracker(project).search("tags.`dvc.stage` = 'train@rotated_mnist-resunet'")
            for model in run.outputs.model_outputs
        } - {*made.values()}
    weights.write_text("1")  # the first one is restored, and walked with
    write_record(project, "evaluate", "rotated_mnist-linear", {"eta": 2}, **read)
    runs.sync(project)
    runs_of_it = Tracker(project).search("tags.`dvc.stage` = 'evaluate@rotated_mnist-linear' and params.eta = '2'")
    used = Tracker(project).client.get_run(runs_of_it[0].info.run_id).inputs.model_inputs
    assert [model.model_id for model in used] == [made[1]]


def test_many_records_of_one_reason_are_a_line_with_a_few_names(tmp_path: Path) -> None:
    found = [record.Found("train", f"set-{n}", tmp_path, {}, "made earlier") for n in range(5)]
    one = record.Found("evaluate", "set", tmp_path, {}, "its results")
    assert record.left_out([*found, one]) == (
        "train@set-0, train@set-1, train@set-2 and 2 more (made earlier); evaluate@set (its results)"
    )

"""What the runs of records hold."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest
from records import FIGURE, METRIC, READ, TABLE, logged, revisions, shown_table, write_record, write_results

from pipeline.paths import Paths
from pipeline.tracking import store
from pipeline.tracking import sync as runs


def test_a_training_reads_back_with_its_settings_and_history(paths: Paths) -> None:
    runs.sync(paths)
    run = logged(paths)["train@rotated_mnist-resunet"]
    assert run.data.params == {"steps": "200", "widths": "[32, 64]"}
    assert run.data.metrics["psnr_held_out_25"] == 30.5
    assert run.data.metrics["seconds"] == 60
    expected = {
        "mlflow.runName": "rotated_mnist-resunet",
        "mlflow.source.git.commit": "0123456789ab",
        "manex.commit": "0123456789ab+",
        "manex.lock": "12345678",
        "manex.machine": "a machine",
        "manex.stage": "train",
        "dataset": "rotated_mnist",
        "model": "resunet",
    }
    assert expected.items() <= run.data.tags.items()
    assert (run.info.status, run.info.end_time - run.info.start_time) == ("FINISHED", 60_000)
    history = store.Tracker(paths).client.get_metric_history(run.info.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(100, 0.5), (200, 0.25)]


def test_a_cell_reads_back_with_its_trials_and_the_settings_of_its_walk(paths: Paths) -> None:
    runs.sync(paths)
    run = logged(paths)["evaluate@rotated_mnist-linear"]
    assert run.data.params == {"eta": "1.0", "denoiser": "resunet", "nested.window": "7"}
    assert run.data.metrics["dtw_ssid"] == pytest.approx(0.4)
    assert run.data.metrics["extrapolate/seconds"] == 60
    history = store.Tracker(paths).client.get_metric_history(run.info.run_id, "trial/dtw_ssid")
    assert [(point.step, point.value) for point in history] == [(0, pytest.approx(0.6)), (1, pytest.approx(0.2))]


def test_the_table_and_figures_drawn_later_become_artifacts(paths: Paths) -> None:
    runs.sync(paths)
    write_results(paths)
    assert runs.sync(paths).logged == 2
    found = logged(paths)
    client = store.Tracker(paths).client
    files = {name: {file.path for file in client.list_artifacts(run.info.run_id)} for name, run in found.items()}
    (parent,) = revisions(paths).values()
    assert {file.path for file in client.list_artifacts(parent.info.run_id)} >= {"table1.json", "table1.csv", "figures"}
    assert [file.path for file in client.list_artifacts(parent.info.run_id, "figures")] == [f"figures/{FIGURE}"]
    assert parent.data.metrics == {METRIC: 0.4}
    assert files["table"] == {"all.json", "table1.csv"}
    assert files["figures"] == {"all.json", FIGURE}
    assert found["table"].data.metrics[METRIC] == 0.4
    assert all(Path(run.info.artifact_uri.removeprefix("file://")).is_relative_to(paths.root) for run in found.values())


def test_a_table_made_again_replaces_the_earlier_one(paths: Paths) -> None:
    rows = [["rotated_mnist", "paper", "linear", 0.4, None], ["rotated_mnist", "paper", "vae", None, "too slow"]]
    for seconds in (1.0, 2.0):
        write_results(paths, seconds=seconds)
        runs.sync(paths)
        assert shown_table(paths, "table1.json") == {"columns": TABLE.splitlines()[0].split(","), "data": rows}


def test_profiles_do_not_overwrite_each_others_table(paths: Paths) -> None:
    write_results(paths)
    runs.sync(paths)
    write_results(Paths(paths.root, "reports/rivals"))
    assert runs.sync(paths).logged == 2
    assert shown_table(paths, "table1.json") == shown_table(paths, "rivals/table1.json")
    (parent,) = revisions(paths).values()
    drawn = store.Tracker(paths).client.list_artifacts(parent.info.run_id, "rivals/figures")
    assert [file.path for file in drawn] == [f"rivals/figures/{FIGURE}"]


def test_an_analysis_is_a_run_of_its_own(paths: Paths) -> None:
    write_record(paths, "analyse", "rotated_mnist-geometry", {"kind": "geometry"}, metrics={"denoisers/psnr": 30.0})
    runs.sync(paths)
    run = logged(paths)["analyse@rotated_mnist-geometry"]
    assert {"dataset": "rotated_mnist", "analysis": "geometry"}.items() <= run.data.tags.items()
    assert run.data.metrics["denoisers/psnr"] == 30


def test_a_member_of_a_family_is_a_model_of_its_own(paths: Paths) -> None:
    read = READ | {"model": "sizes/half"}
    write_record(paths, "train", "rotated_mnist-sizes/half", {"steps": 2}, **read)
    write_record(paths, "evaluate", "rotated_mnist-flow", {"denoiser": "sizes/half"}, **read)
    runs.sync(paths)
    found = logged(paths)
    trained, walked = found["train@rotated_mnist-sizes/half"], found["evaluate@rotated_mnist-flow"]
    assert trained.data.tags["model"] == "sizes/half"
    used = store.Tracker(paths).client.get_run(walked.info.run_id).inputs.model_inputs
    assert [one.model_id for one in used] == [one.model_id for one in trained.outputs.model_outputs] != []


def test_cells_are_children_of_their_revision(paths: Paths) -> None:
    write_record(paths, "evaluate", "rotated_mnist-linear", {}, commit="fedcba987654")
    runs.sync(paths)
    parents = revisions(paths)
    assert parents.keys() == {"0123456789ab+", "fedcba987654"}
    children = {name: run.data.tags["mlflow.parentRunId"] for name, run in logged(paths).items()}
    assert children == {
        "train@rotated_mnist-resunet": parents["0123456789ab+"].info.run_id,
        "evaluate@rotated_mnist-linear": parents["fedcba987654"].info.run_id,
    }


def test_frames_of_a_cell_are_a_series(paths: Paths) -> None:
    runs.sync(paths)
    run = logged(paths)["evaluate@rotated_mnist-linear"]
    history = store.Tracker(paths).client.get_metric_history(run.info.run_id, "frame/aligned_distance")
    assert [(point.step, point.value) for point in history] == [(0, pytest.approx(0.3)), (1, pytest.approx(0.6))]


def test_runs_name_their_frames_and_their_model(paths: Paths) -> None:
    runs.sync(paths)
    found = logged(paths)
    trained, walked = found["train@rotated_mnist-resunet"], found["evaluate@rotated_mnist-linear"]
    digest = sha256(b"frames").hexdigest()[:16]
    for run in (trained, walked):
        assert [(i.dataset.name, i.dataset.digest) for i in run.inputs.dataset_inputs] == [("rotated_mnist", digest)]
    (made,) = trained.outputs.model_outputs
    client = store.Tracker(paths).client
    used = client.get_run(walked.info.run_id).inputs.model_inputs  # a search leaves them out
    assert [model.model_id for model in used] == [made.model_id]
    assert client.get_logged_model(made.model_id).name == "rotated_mnist-resunet"

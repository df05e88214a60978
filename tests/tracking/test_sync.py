from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import warnings
from hashlib import sha256
from pathlib import Path
from subprocess import DEVNULL
from threading import Event
from typing import Any
from urllib.request import urlopen

import pytest

from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.tracking import store
from pipeline.tracking import sync as runs
from pipeline.tracking.dashboard import QUIET

FIGURE = "rotated_mnist_paths.png"
TABLE = "dataset,protocol,method,dtw_ssid,not_run\nrotated_mnist,paper,linear,0.4,\nrotated_mnist,paper,vae,,too slow\n"


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's tables without content: making them takes six seconds, so it is done once."""
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    with store.quiet():
        store.client_of(f"sqlite:///{path}")
    return path


@pytest.fixture
def paths(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MANEX_TRACKING", "on")
    paths = Paths(tmp_path)
    shutil.copy(empty_database, paths.mlflow)
    history = [[100, {"loss": 0.5, "psnr_held_out_25": 28.5}], [200, {"loss": 0.25, "psnr_held_out_25": 30.5}]]
    settings = {"steps": 200, "widths": [32, 64]}
    write_record(paths, "train", "rotated_mnist-resunet", settings, series=history, resumed_at=0, **READ)
    write_record(paths, "extrapolate", "rotated_mnist-linear", {"eta": 1.0, "denoiser": "resunet"})
    by_trial = [[0, {"trial/dtw_ssid": 0.6}], [1, {"trial/dtw_ssid": 0.2}]]
    by_frame = [[0, {"frame/aligned_distance": 0.3}], [1, {"frame/aligned_distance": 0.6}]]
    found = {"metrics": {"dtw_ssid": 0.4, "extrapolate/seconds": 60.0}, "series": by_trial + by_frame}
    settings = {"eta": 1.0, "denoiser": "resunet", "nested": {"window": 7}}
    write_record(paths, "evaluate", "rotated_mnist-linear", settings, **found, **READ)
    prepared = paths.prepared("rotated_mnist")
    prepared.mkdir(parents=True)
    (prepared / "frames.safetensors").write_bytes(b"frames")
    return paths


READ = {"dataset": "rotated_mnist", "model": "resunet"}
NOTHING = {"metrics": {}, "series": [], "files": [], "dataset": "", "model": ""}


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


def test_a_second_sync_makes_no_run(paths: Paths) -> None:
    assert runs.sync(paths) == runs.Counts(logged=2, present=0, damaged=0)
    assert runs.sync(paths) == runs.Counts(logged=0, present=2, damaged=0)
    assert len(logged(paths)) == 2


def test_what_was_logged_after_a_stage_is_not_logged_again_by_sync(paths: Paths) -> None:
    assert runs.log_record(paths, paths.record("train", "rotated_mnist-resunet"))
    assert not runs.log_record(paths, paths.record("train", "rotated_mnist-resunet"))
    assert runs.sync(paths).logged == 1


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


def write_results(paths: Paths, **facts: object) -> None:
    """The records of `table` and `figures`, and what they name."""
    paths.figures.mkdir(parents=True, exist_ok=True)
    (paths.figures / FIGURE).write_bytes(b"png")
    (paths.reports / "table1.csv").write_text(TABLE)
    files = [path.relative_to(paths.root).as_posix() for path in (paths.reports / "table1.csv", paths.figures / FIGURE)]
    write_record(paths, "table", "", {}, metrics={METRIC: 0.4}, files=files[:1], **facts)
    write_record(paths, "figures", "", {}, files=files[1:], **facts)


METRIC = "rotated_mnist paper dtw_ssid/linear"


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


def shown_table(paths: Paths, name: str) -> dict[str, Any]:
    (parent,) = revisions(paths).values()
    assert {"path": name, "type": "table"} in json.loads(parent.data.tags["mlflow.loggedArtifacts"])
    return dict(json.loads(Path(store.Tracker(paths).client.download_artifacts(parent.info.run_id, name)).read_text()))


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


@pytest.mark.slow
def test_a_server_over_http_holds_the_same(
    paths: Paths, empty_database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    database = shutil.copy(empty_database, tmp_path / "server.db")
    place = ["--backend-store-uri", f"sqlite:///{database}", "--artifacts-destination", str(tmp_path / "artifacts")]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    server = subprocess.Popen([*command, *place], env={**os.environ, **QUIET}, stdout=DEVNULL, stderr=DEVNULL)
    try:
        wait_for(f"http://127.0.0.1:{port}/health")
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
        write_results(paths)
        assert runs.sync(paths).logged == 4
        assert runs.sync(paths) == runs.Counts(logged=0, present=4, damaged=0)
        (parent,) = revisions(paths).values()
        client = store.Tracker(paths).client
        files = {file.path for file in client.list_artifacts(parent.info.run_id)}
        assert files == {"table1.json", "table1.csv", "figures"}
        assert len(logged(paths)["train@rotated_mnist-resunet"].outputs.model_outputs) == 1
    finally:
        server.terminate()
        server.wait(30)


def wait_for(address: str, seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urlopen(address, timeout=2):
                return
        except OSError:
            Event().wait(0.2)
    raise AssertionError(f"{address} does not answer")


def test_a_live_view_is_replaced_by_the_finished_run(paths: Paths) -> None:
    with runs.live(paths, "train", "rotated_mnist-resunet", {"steps": 200}) as run:
        run.log(100, {"loss": 0.5, "psnr": float("nan")})
        watched = logged(paths)["train@rotated_mnist-resunet"]
        assert (watched.info.status, watched.data.metrics) == ("RUNNING", {"loss": 0.5})
    assert runs.log_record(paths, paths.record("train", "rotated_mnist-resunet"))
    assert list(logged(paths)) == ["train@rotated_mnist-resunet"]
    assert "manex.key" in logged(paths)["train@rotated_mnist-resunet"].data.tags


def test_an_interrupted_live_view_says_so(paths: Paths) -> None:
    with pytest.raises(KeyboardInterrupt), runs.live(paths, "train", "rotated_mnist-resunet", {}):
        raise KeyboardInterrupt
    assert logged(paths)["train@rotated_mnist-resunet"].info.status == "KILLED"


@pytest.mark.parametrize("uri", ["http://someone:hunter2@127.0.0.1:9", "postgresql://someone:hunter2@127.0.0.1:9/runs"])
def test_a_dead_server_costs_one_line_without_its_password(
    uri: str, paths: Paths, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert not runs.log_record(paths, paths.record("train", "rotated_mnist-resunet"))
    output, line = capfd.readouterr()
    assert output == ""
    assert line.count("\n") == 1
    assert "127.0.0.1:9" in line
    assert "manex track sync" in line
    with pytest.raises(UserError) as caught:
        runs.sync(paths)
    for text in (line, str(caught.value)):
        assert "hunter2" not in text
        assert "someone" not in text


DAMAGES: dict[str, dict[str, object]] = {
    "no list of files": {"files": None},
    "a file that is no path": {"files": [1]},
    "a series without steps": {"series": [{"loss": 1.0}]},
    "a metric that is no number": {"metrics": {"dtw_ssid": "low"}},
    "no settings": {"params": []},
    "no time": {"started": "yesterday"},
    "endless": {"seconds": float("inf")},
    "of another item": {"item": "rotated_mnist-vae"},
    "a quote in its commit": {"commit": "'"},
}


@pytest.mark.parametrize("damage", ["cut short", "a list", *DAMAGES])
def test_a_damaged_record_is_named_and_left_out(damage: str, paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    path = paths.record("train", "rotated_mnist-resunet")
    record = json.loads(path.read_text()) | DAMAGES.get(damage, {})
    path.write_text({"cut short": "{", "a list": "[]"}.get(damage, json.dumps(record)))
    assert runs.sync(paths) == runs.Counts(logged=1, present=0, damaged=1)
    line = capsys.readouterr().err
    assert line.startswith(f"manex: {path}: damaged (")
    assert line.endswith("; left out\n")
    assert line.count("\n") == 1


def test_a_database_that_came_with_a_copied_folder_is_not_written_to(paths: Paths, tmp_path: Path) -> None:
    runs.experiment_id(paths)
    copy = Paths(tmp_path / "copy")
    copy.root.mkdir()
    shutil.copy(paths.mlflow, copy.mlflow)
    with pytest.raises(UserError, match="another folder"):
        runs.experiment_id(copy)


def test_tracking_can_be_switched_off(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANEX_TRACKING", "off")
    paths.mlflow.unlink()
    assert not runs.log_record(paths, paths.record("train", "rotated_mnist-resunet"))
    assert not paths.mlflow.exists()


def test_warnings_of_ours_are_still_heard() -> None:
    with pytest.warns(UserWarning, match="ours"), store.quiet():
        warnings.warn("ours", stacklevel=1)

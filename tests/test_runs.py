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
from urllib.request import urlopen

import pytest

from pipeline.tracking import sync as runs, tracking
from pipeline.tracking.dashboard import QUIET
from pipeline.errors import UserError
from pipeline.paths import Paths

FIGURE = "walks_rotated_mnist.png"


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's tables without content: making them takes six seconds, so it is done once."""
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    with tracking.quiet():
        tracking.client_of(f"sqlite:///{path}")
    return path


@pytest.fixture
def paths(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MANEX_TRACKING", "on")
    paths = Paths(tmp_path)
    shutil.copy(empty_database, paths.mlflow)
    write_record(paths, "train", "rotated_mnist-resunet", {"steps": 200, "widths": [32, 64]}, resumed_at=0)
    folder = paths.model("rotated_mnist", "resunet")
    folder.mkdir(parents=True)
    (folder / "history.csv").write_text("step,loss,psnr_held_out_25\n100,0.5,28.5\n200,0.25,30.5\n")
    write_record(paths, "extrapolate", "rotated_mnist-linear", {"eta": 1.0, "denoiser": "resunet"})
    write_record(paths, "evaluate", "rotated_mnist-linear", {"metric": {"window": 7}})
    folder = paths.scores("rotated_mnist", "linear")
    folder.mkdir(parents=True)
    (folder / "scores.csv").write_text("trial,video,dtw_ssid\n0,0,0.5\n0,1,0.7\n1,0,0.1\n1,1,0.3\n")
    (folder / "frames.csv").write_text("trial,video,frame,aligned_distance\n0,0,0,0.2\n0,0,1,0.6\n1,0,0,0.4\n1,0,1,\n")
    prepared = paths.prepared("rotated_mnist")
    prepared.mkdir(parents=True)
    (prepared / "frames.safetensors").write_bytes(b"frames")
    return paths


def write_record(paths: Paths, stage: str, item: str, params: dict[str, object], **facts: object) -> Path:
    path = paths.record(stage, item)
    path.parent.mkdir(parents=True, exist_ok=True)
    fixed = {"started": "2026-01-02T03:04:05.000+00:00", "seconds": 60.0, "cpu_seconds": 59.0, "machine": "a machine"}
    record = {"stage": stage, "item": item, "params": params, **fixed, "commit": "0123456789ab+", "lock": "12345678"}
    path.write_text(json.dumps({**record, **facts}))
    return path


def logged(paths: Paths) -> dict[str, object]:
    tracker = tracking.Tracker(paths)
    with tracking.quiet():
        found = tracker.client.search_runs([tracker.experiment])
    return {run.data.tags["dvc.stage"]: run for run in found if "dvc.stage" in run.data.tags}


def revisions(paths: Paths) -> dict[str, object]:
    tracker = tracking.Tracker(paths)
    with tracking.quiet():
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
    history = tracking.Tracker(paths).client.get_metric_history(run.info.run_id, "loss")
    assert [(point.step, point.value) for point in history] == [(100, 0.5), (200, 0.25)]


def test_a_cell_reads_back_with_its_trials_and_the_settings_of_its_walk(paths: Paths) -> None:
    runs.sync(paths)
    run = logged(paths)["evaluate@rotated_mnist-linear"]
    assert run.data.params == {"eta": "1.0", "denoiser": "resunet", "metric.window": "7"}
    assert run.data.metrics["dtw_ssid"] == pytest.approx(0.4)
    assert run.data.metrics["extrapolate/seconds"] == 60
    history = tracking.Tracker(paths).client.get_metric_history(run.info.run_id, "trial/dtw_ssid")
    assert [(point.step, point.value) for point in history] == [(0, pytest.approx(0.6)), (1, pytest.approx(0.2))]


def test_the_table_and_figures_drawn_later_become_artifacts(paths: Paths) -> None:
    runs.sync(paths)
    paths.figures.mkdir(parents=True)
    (paths.figures / FIGURE).write_bytes(b"png")
    (paths.reports / "table1.csv").write_text("dataset,protocol,method,dtw_ssid\nrotated_mnist,paper,linear,0.4\n")
    write_record(paths, "table", "", {})
    write_record(paths, "figures", "", {})
    assert runs.sync(paths).logged == 2
    found = logged(paths)
    client = tracking.Tracker(paths).client
    files = {name: {file.path for file in client.list_artifacts(run.info.run_id)} for name, run in found.items()}
    (parent,) = revisions(paths).values()
    assert {file.path for file in client.list_artifacts(parent.info.run_id)} >= {"table1.json", "table1.csv", "figures"}
    assert [file.path for file in client.list_artifacts(parent.info.run_id, "figures")] == [f"figures/{FIGURE}"]
    assert parent.data.metrics == {"rotated_mnist paper dtw_ssid/linear": 0.4}
    assert files["table"] == {"all.json", "table1.csv"}
    assert FIGURE in files["figures"] & files["train@rotated_mnist-resunet"] & files["evaluate@rotated_mnist-linear"]
    assert found["table"].data.metrics["rotated_mnist/paper/linear/dtw_ssid"] == 0.4
    assert all(Path(run.info.artifact_uri.removeprefix("file://")).is_relative_to(paths.root) for run in found.values())


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
    history = tracking.Tracker(paths).client.get_metric_history(run.info.run_id, "frame/aligned_distance")
    assert [(point.step, point.value) for point in history] == [(0, pytest.approx(0.3)), (1, pytest.approx(0.6))]


def test_runs_name_their_frames_and_their_model(paths: Paths) -> None:
    runs.sync(paths)
    found = logged(paths)
    trained, walked = found["train@rotated_mnist-resunet"], found["evaluate@rotated_mnist-linear"]
    digest = sha256(b"frames").hexdigest()[:16]
    for run in (trained, walked):
        assert [(i.dataset.name, i.dataset.digest) for i in run.inputs.dataset_inputs] == [("rotated_mnist", digest)]
    (made,) = trained.outputs.model_outputs
    client = tracking.Tracker(paths).client
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
        (paths.reports / "table1.csv").write_text("dataset,protocol,method,dtw_ssid\nrotated_mnist,paper,linear,0.4\n")
        write_record(paths, "table", "", {})
        assert runs.sync(paths).logged == 3
        assert runs.sync(paths) == runs.Counts(logged=0, present=3, damaged=0)
        (parent,) = revisions(paths).values()
        client = tracking.Tracker(paths).client
        assert {file.path for file in client.list_artifacts(parent.info.run_id)} == {"table1.json", "table1.csv"}
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
    with pytest.raises(UserError) as told:
        runs.sync(paths)
    for text in (line, str(told.value)):
        assert "hunter2" not in text
        assert "someone" not in text


def test_a_damaged_record_is_left_out(paths: Paths, capsys: pytest.CaptureFixture[str]) -> None:
    paths.record("train", "rotated_mnist-resunet").write_text("{")
    assert runs.sync(paths) == runs.Counts(logged=1, present=0, damaged=1)
    assert "damaged" in capsys.readouterr().err


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
    with pytest.warns(UserWarning, match="ours"), tracking.quiet():
        warnings.warn("ours", stacklevel=1)

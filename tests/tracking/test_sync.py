"""When runs are made: by sync, after a stage, live; and what goes wrong meanwhile."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import warnings
from pathlib import Path
from subprocess import DEVNULL
from threading import Event
from urllib.request import urlopen

import pytest
from records import logged, revisions, write_results

from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.tracking import store
from pipeline.tracking import sync as runs
from pipeline.tracking.dashboard import QUIET


def test_a_second_sync_makes_no_run(paths: Paths) -> None:
    assert runs.sync(paths) == runs.Counts(logged=2, present=0, damaged=0)
    assert runs.sync(paths) == runs.Counts(logged=0, present=2, damaged=0)
    assert len(logged(paths)) == 2


def test_what_was_logged_after_a_stage_is_not_logged_again_by_sync(paths: Paths) -> None:
    assert runs.log_record(paths, paths.record("train", "rotated_mnist-resunet"))
    assert not runs.log_record(paths, paths.record("train", "rotated_mnist-resunet"))
    assert runs.sync(paths).logged == 1


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

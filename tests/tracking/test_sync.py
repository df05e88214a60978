"""When runs are made: by sync, after a stage, live; and what goes wrong meanwhile."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
from records import logged

from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.tracking import owner, store
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
    with pytest.raises(UserError, match="another folder") as caught:
        runs.experiment_id(copy)
    (command,) = re.findall("mv .*", str(caught.value))
    before = copy.mlflow.read_bytes()
    subprocess.run(["sh", "-c", command], check=True)
    assert copy.mlflow.with_name("mlflow.db.earlier").read_bytes() == before
    assert not copy.mlflow.exists()


def test_a_deleted_experiment_comes_back_with_the_command_that_is_named(paths: Paths) -> None:
    tracker = store.Tracker(paths)
    tracker.client.delete_experiment(tracker.experiment)
    with pytest.raises(UserError, match="is deleted there") as caught:
        runs.sync(paths)
    (command,) = re.findall(
        "MLFLOW_TRACKING_URI=.* mlflow experiments restore .*--experiment-id [0-9]+", str(caught.value)
    )
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["sh", "-c", command], check=True, env=os.environ | QUIET | {"PATH": path}, capture_output=True)
    assert runs.sync(paths).logged == 2


CELL = "train@rotated_mnist-resunet"


def test_the_running_run_of_a_colleague_is_spared(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(store, "owner", lambda paths: "colleague@elsewhere:/project")
        theirs = store.Tracker(paths).start("train", "rotated_mnist-resunet", 0, {})
        before = store.Tracker(paths).parent("revision", "0123456789ab+", 0, {})
    mine = store.Tracker(paths).start("train", "rotated_mnist-resunet", 0, {"manex.process": "left by a crash"})
    assert runs.sync(paths).logged == 2
    found = {run.info.run_id: run.info.status for run in store.Tracker(paths).search("")}
    assert found[theirs] == "RUNNING"
    assert mine not in found
    children = store.Tracker(paths).search(f"tags.`mlflow.parentRunId` = '{before}'")
    assert children == []


def test_the_run_of_a_process_that_is_still_at_work_is_spared(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:
        known = owner.process(other.pid)
        with monkeypatch.context() as patch:
            patch.setattr(store, "process", lambda pid: known)
            living = store.Tracker(paths).start("train", "rotated_mnist-resunet", 0, {})
        runs.sync(paths)
        assert living in {run.info.run_id for run in store.Tracker(paths).search("")}
    paths.record("train", "rotated_mnist-resunet").write_text(
        paths.record("train", "rotated_mnist-resunet").read_text().replace("60.0", "61.0")
    )
    runs.sync(paths)  # the process has ended
    assert living not in {run.info.run_id for run in store.Tracker(paths).search("")}


def test_a_path_with_signs_of_an_address_holds_its_own_database(
    tmp_path: Path, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    strange = Paths(tmp_path / "a b?c=d#e%20f@g:h" / "it's \u00e9")
    strange.root.parent.mkdir()
    shutil.copytree(paths.root / "reports", strange.root / "reports")
    shutil.copy(paths.mlflow, strange.mlflow)
    before = set(tmp_path.rglob("*.db")), strange.mlflow.read_bytes()
    assert runs.sync(strange).logged == 2
    assert runs.sync(strange).present == 2
    assert (set(tmp_path.rglob("*.db")), strange.mlflow.read_bytes() != before[1]) == (before[0], True)
    assert list(strange.artifacts.rglob("rotated_mnist-resunet.json"))


def test_tracking_can_be_switched_off(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANEX_TRACKING", "off")
    paths.mlflow.unlink()
    assert not runs.log_record(paths, paths.record("train", "rotated_mnist-resunet"))
    assert not paths.mlflow.exists()


def test_warnings_of_ours_are_still_heard() -> None:
    with pytest.warns(UserWarning, match="ours"), store.quiet():
        warnings.warn("ours", stacklevel=1)

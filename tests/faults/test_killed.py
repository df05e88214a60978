"""SIGKILL at seeded moments of a training and of `dvc repro`: the next run ends with the same bits."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import clone
import pytest

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1800)]


def killed(*words: str, root: Path, after: float) -> bool:
    """Run a command and kill all of its processes at a moment; false if it had ended by then."""
    process = clone.start(*words, root=root)
    try:
        process.communicate(timeout=after)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return True
    assert process.returncode == 0
    return False


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clone.make(tmp_path_factory.mktemp("fresh") / "project")


@pytest.fixture(scope="module")
def whole(fresh: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The same, run in one go, and the seconds that took."""
    root = shutil.copytree(fresh, tmp_path_factory.mktemp("whole") / "project")
    began = time.monotonic()
    clone.run("dvc", "repro", clone.TARGET, root=root)
    return root, time.monotonic() - began


@pytest.fixture(scope="module")
def untrained(whole: tuple[Path, float], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """A project with its frames ready, and the seconds a training takes."""
    root = shutil.copytree(whole[0], tmp_path_factory.mktemp("untrained") / "project")
    began = time.monotonic()
    clone.run("pipeline", "train", "walker", "resunet", root=root)
    seconds = time.monotonic() - began
    shutil.rmtree(root / "models")
    return root, seconds


@pytest.mark.parametrize("seed", range(20))
def test_a_training_killed_at_any_moment_ends_with_the_same_bits(
    seed: int, untrained: tuple[Path, float], whole: tuple[Path, float], tmp_path: Path
) -> None:
    root = shutil.copytree(untrained[0], tmp_path / "project")
    killed("pipeline", "train", "walker", "resunet", root=root, after=random.Random(seed).uniform(0, untrained[1]))
    clone.run("pipeline", "train", "walker", "resunet", root=root)
    assert clone.results(root) == clone.results(whole[0])


@pytest.mark.parametrize("seed", range(20))
def test_a_repro_killed_at_any_moment_ends_with_the_same_bits(
    seed: int, fresh: Path, whole: tuple[Path, float], tmp_path: Path
) -> None:
    root = shutil.copytree(fresh, tmp_path / "project")
    killed("dvc", "repro", clone.TARGET, root=root, after=random.Random(100 + seed).uniform(0, whole[1]))
    clone.run("dvc", "repro", clone.TARGET, root=root)
    assert clone.results(root) == clone.results(whole[0])


def finished(processes: list[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    return [
        (process.returncode, said) for process in processes if (said := process.communicate(timeout=240)[0]) or True
    ]


@pytest.mark.parametrize("second", ["at once", "while it trains"])
def test_of_two_repros_at_once_each_ends_well_or_in_a_clear_line(
    second: str, fresh: Path, whole: tuple[Path, float], tmp_path: Path
) -> None:
    root = shutil.copytree(fresh, tmp_path / "project")
    processes = [clone.start("dvc", "repro", clone.TARGET, root=root)]
    end = time.monotonic() + clone.LONGEST
    while second == "while it trains" and not list((root / "models").glob(".checkpoints/*")):
        assert processes[0].poll() is None
        assert time.monotonic() < end
    processes.append(clone.start("dvc", "repro", clone.TARGET, root=root))
    endings = finished(processes)
    for code, said in endings:
        assert "Traceback" not in said
        assert code == 0 or "ERROR: " in said, said
    clone.run("dvc", "repro", clone.TARGET, root=root)
    assert clone.results(root) == clone.results(whole[0])


def test_two_trainings_at_once_end_with_the_same_bits_or_in_a_clear_line(
    untrained: tuple[Path, float], whole: tuple[Path, float], tmp_path: Path
) -> None:
    root = shutil.copytree(untrained[0], tmp_path / "project")
    endings = finished([clone.start("pipeline", "train", "walker", "resunet", root=root) for _ in range(2)])
    assert 0 in [code for code, _ in endings]
    for code, said in endings:
        assert code == 0 or said.splitlines()[-1].startswith("manex: "), said
        assert "Traceback" not in said
    assert clone.results(root) == clone.results(whole[0])

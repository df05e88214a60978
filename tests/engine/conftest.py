from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import small


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.make(tmp_path_factory.mktemp("fresh") / "project")


@pytest.fixture
def root(fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project with nothing computed, which is the current folder."""
    project = copied(fresh, tmp_path / "project")
    monkeypatch.chdir(project)
    monkeypatch.setenv("MANEX_WORKERS", "2")
    return project


def copied(source: Path, target: Path) -> Path:
    """A copy; the pipe that holds cells up is made anew."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("fifo"))
    small.os.mkfifo(target / "fifo")
    return target


@pytest.fixture
def serial(fresh: Path, tmp_path: Path) -> Path:
    """The same project for `dvc repro`."""
    return copied(fresh, tmp_path / "serial")

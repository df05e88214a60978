from __future__ import annotations

from pathlib import Path

import pytest
import toy


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toy.make(tmp_path_factory.mktemp("fresh") / "project")


@pytest.fixture
def root(fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project with nothing computed, which is the current folder."""
    project = toy.copied(fresh, tmp_path / "project")
    monkeypatch.chdir(project)
    monkeypatch.setenv("MANEX_WORKERS", "2")
    return project


@pytest.fixture
def serial(fresh: Path, tmp_path: Path) -> Path:
    """The same project for `dvc repro`."""
    return toy.copied(fresh, tmp_path / "serial")

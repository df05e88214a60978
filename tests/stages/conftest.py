"""One project for the stages that come after the walks: digits whose manifold is known, clips of which nothing is."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from small_project import PARAMS, make

from pipeline.paths import Paths


@pytest.fixture(autouse=True)
def _this_process_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MANEX_WORKERS", "1")
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """The project with its tables; tests read it and change nothing."""
    paths = Paths(tmp_path_factory.mktemp("stages") / "project", home=PARAMS.reports)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MANEX_WORKERS", "1")
        make(paths)
    torch.use_deterministic_algorithms(False)
    return paths


@pytest.fixture
def paths(made: Paths, tmp_path: Path) -> Paths:
    """A copy of it, to be changed."""
    return Paths(Path(shutil.copytree(made.root, tmp_path / "project")), home=PARAMS.reports)

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from walkers import made

from pipeline.paths import Paths


@pytest.fixture(autouse=True)
def _this_process_alone(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MANEX_WORKERS", "1")
    monkeypatch.delenv("MANEX_SCHEDULER", raising=False)
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MANEX_WORKERS", "1")
        root = made(tmp_path_factory.mktemp("walkers") / "project").root
    torch.use_deterministic_algorithms(False)
    return root


@pytest.fixture
def paths(original: Path, tmp_path: Path) -> Paths:
    """A project with frames and a network, the test's own."""
    return Paths(Path(shutil.copytree(original, tmp_path / "project")))

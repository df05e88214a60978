"""The project's own pipeline, tiny: cells in warm processes give the bytes that `dvc repro` gives one by one."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]


def tiny() -> ModuleType:
    """tests/faults/clone.py, which makes tiny projects."""
    path = Path(__file__).parents[1] / "faults" / "clone.py"
    spec = importlib.util.spec_from_file_location("tiny_clone", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_warm_cells_give_the_bytes_of_a_serial_run(tmp_path: Path) -> None:
    clone = tiny()
    serial = clone.make(tmp_path / "serial")
    root = shutil.copytree(serial, tmp_path / "project")
    clone.run("dvc", "repro", clone.TARGET, root=serial)
    clone.run("pipeline", "reproduce", clone.TARGET, root=root)
    assert clone.results(root) == clone.results(serial)
    assert "Running stage" not in clone.run("dvc", "repro", clone.TARGET, root=root)

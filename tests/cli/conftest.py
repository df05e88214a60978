from __future__ import annotations

from pathlib import Path

import pytest
from small import small


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of two profiles, `cpu` in use."""
    (tmp_path / "profiles").mkdir()
    for name, frames in (("cpu", 100), ("smoke", 10)):
        (tmp_path / "profiles" / f"{name}.yaml").write_text(small(name, frames))
    (tmp_path / "params.yaml").write_text(small("cpu", 100))
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path

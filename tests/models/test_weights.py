"""Weights as people have them go into modules, or are refused with their names; nothing in a file is run."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from safetensors.torch import save_file, save_model
from torch import Tensor, nn
from torch.nn.utils import parametrizations

from pipeline.config.plugins import PlugIn
from pipeline.errors import UserError
from pipeline.models.weights import fill
from pipeline.storage.artifacts import sha256

FIELD = "extrapolate.d.m.denoiser.weights"


class Tied(nn.Module):
    """Two names of one tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(3, 3, bias=False), nn.Linear(3, 3, bias=False)
        self.second.weight = self.first.weight


def network() -> nn.Module:
    return nn.Sequential(OrderedDict(conv=nn.Conv2d(1, 2, 3), norm=nn.BatchNorm2d(2)))


def drawn(module: nn.Module) -> dict[str, Tensor]:
    """Other weights for a module."""
    torch.manual_seed(1)
    return {k: torch.rand_like(v) if v.is_floating_point() else v.clone() for k, v in module.state_dict().items()}


def saved(folder: Path, weights: Any, name: str = "w.safetensors") -> Path:
    file = folder / name
    save_file(weights, file) if name.endswith(".safetensors") else torch.save(weights, file)
    return file


def refusal(module: nn.Module, file: Path, **more: str) -> str:
    with pytest.raises(UserError) as caught:
        fill(module, file, FIELD, **more)
    said = str(caught.value)
    assert said.startswith(f"params.yaml: {FIELD}: {file}")
    assert "\n" not in said
    return said


def assert_filled(module: nn.Module, weights: dict[str, Tensor]) -> None:
    found = module.state_dict()
    for name in weights:
        torch.testing.assert_close(found[name], weights[name], rtol=0, atol=0)


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
def test_a_batchnorm_without_its_count_is_filled(name: str, tmp_path: Path) -> None:
    weights = {key: value for key, value in drawn(network()).items() if "num_batches" not in key}
    file, module = saved(tmp_path, weights, name), network()
    fill(module, file, FIELD, sha256=sha256(file))
    assert_filled(module, weights)


def test_old_names_of_a_weight_norm_fill_a_new_one(tmp_path: Path) -> None:
    module = parametrizations.weight_norm(nn.Conv2d(1, 2, 3))
    g, v, bias = torch.rand(2, 1, 1, 1), torch.rand(2, 1, 3, 3), torch.rand(2)
    fill(module, saved(tmp_path, {"weight_g": g, "weight_v": v, "bias": bias}), FIELD)
    torch.testing.assert_close(module.weight, g * v / v.flatten(1).norm(dim=1).reshape(2, 1, 1, 1))
    whole = (127 * v).to(torch.int8)
    assert '"weight_v" is torch.int8' in refusal(
        module, saved(tmp_path, {"weight_g": g, "weight_v": whole, "bias": bias})
    )


def test_tied_weights_are_filled_from_one_of_their_names(tmp_path: Path) -> None:
    torch.manual_seed(2)
    source, module, file = Tied(), Tied(), tmp_path / "w.safetensors"
    save_model(source, str(file))  # holds one name of the two
    fill(module, file, FIELD)
    assert torch.equal(module.second.weight, source.first.weight)
    assert module.first.weight is module.second.weight


def test_two_tensors_for_tied_weights_are_refused(tmp_path: Path) -> None:
    file = saved(tmp_path, {"first.weight": torch.ones(3, 3), "second.weight": torch.zeros(3, 3)})
    assert '"first.weight" and "second.weight" differ, but are one tensor' in refusal(Tied(), file)


@pytest.mark.parametrize(
    ("wrap", "strips"),
    [
        (lambda w: {f"module.{k}": v for k, v in w.items()}, ["module"]),
        (lambda w: {f"_orig_mod.{k}": v for k, v in w.items()}, ["_orig_mod"]),
        (lambda w: {"state_dict": w, "epoch": 3, "optimizer": {"lr": 0.1}}, ["state_dict"]),
        (lambda w: {"state_dict": {f"model.{k}": v for k, v in w.items()}}, ["state_dict.model"]),
        (lambda w: {"params": {k: 0 * v for k, v in w.items()}, "params_ema": w}, ["params", "params_ema"]),
        (lambda w: {f"net.{k}": v for k, v in w.items()} | {"loss.weight": torch.ones(1)}, ["net"]),
    ],
)
def test_a_prefix_is_named_and_stripped_where_it_is_asked_for(
    wrap: Callable[[dict[str, Tensor]], Any], strips: list[str], tmp_path: Path
) -> None:
    weights = drawn(network())
    file, module = saved(tmp_path, wrap(weights), "w.pth"), network()
    pinned = sha256(file)
    assert f"; write {' or '.join(f'strip: {strip}' for strip in strips)}" in refusal(module, file, sha256=pinned)
    fill(module, file, FIELD, strips[-1], pinned)
    assert_filled(module, weights)


def test_a_prefix_that_no_name_has_is_told_with_those_there_are(tmp_path: Path) -> None:
    file = saved(tmp_path, {f"module.{k}": v for k, v in drawn(network()).items()})
    assert 'no name begins with "modul."; did you mean "module' in refusal(network(), file, strip="modul")


def test_what_is_missing_superfluous_or_of_another_shape_is_named(tmp_path: Path) -> None:
    weights = drawn(network())
    weights["conv.bia"] = weights.pop("conv.bias")
    weights["norm.weight"] = torch.ones(5)
    said = refusal(network(), saved(tmp_path, weights))
    for name in ('Missing key(s) in state_dict: "conv.bias"', '"conv.bia"', "size mismatch for norm.weight"):
        assert name in said


@pytest.mark.parametrize(
    "dtype", [torch.int8, torch.uint8, torch.int64, torch.bool, torch.float8_e4m3fn, torch.complex64]
)
def test_numbers_that_would_lose_their_meaning_are_refused(dtype: torch.dtype, tmp_path: Path) -> None:
    weights = drawn(network())
    weights["conv.weight"] = (100 * weights["conv.weight"]).to(dtype)
    file = saved(tmp_path, weights, "w.pth")
    with pytest.warns(UserWarning, match="discards the imaginary part") if dtype.is_complex else nullcontext():
        said = refusal(network(), file, sha256=sha256(file))
    assert f'"conv.weight" is {dtype}, not torch.float32' in said


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions_are_converted(dtype: torch.dtype, tmp_path: Path) -> None:
    weights, module = {k: v.to(dtype) for k, v in drawn(network()).items()}, network()
    fill(module, saved(tmp_path, weights), FIELD)
    torch.testing.assert_close(module.conv.weight, weights["conv.weight"].float(), rtol=0, atol=0)


@pytest.mark.parametrize("name", ["w.pth", "w.pt", "w.ckpt", "w.bin", "w.pth.tar"])
def test_a_file_of_torch_save_is_opened_where_its_hash_is_pinned(name: str, tmp_path: Path) -> None:
    weights, module = drawn(network()), network()
    file = saved(tmp_path, weights, name)
    pinned = sha256(file)
    assert f"with sha256: {pinned}" in refusal(module, file)
    fill(module, file, FIELD, sha256=pinned)
    assert_filled(module, weights)
    saved(tmp_path, drawn(nn.Linear(1, 1)), name)
    assert f"is not the file that sha256 names; if it is the right one, write sha256: {sha256(file)}" in refusal(
        module, file, sha256=pinned
    )


class Harm:
    """Runs code where it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return (Path.touch, (self.file,))


@pytest.mark.parametrize("protocol", [pickle.dumps, None])
def test_nothing_in_a_file_is_run(protocol: Any, tmp_path: Path) -> None:
    file, harmed = tmp_path / "w.pth", tmp_path / "harmed"
    content = {"conv.weight": torch.ones(1), "harm": Harm(harmed)}
    file.write_bytes(protocol(content)) if protocol else torch.save(content, file)
    said = refusal(network(), file, sha256=sha256(file))
    assert "save model.state_dict() alone" in said
    assert "weights_only" not in said  # torch's advice to switch it off
    assert not harmed.exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (nn.Linear(1, 1), r"it holds an object of torch.nn.modules.linear.Linear, which is not opened"),
        ({"best": np.float64(1.0)}, r"it holds an object of numpy"),
        (torch.ones(3), "Missing key"),
        ([torch.ones(3)], "holds no tensors by name"),
        ({"epoch": 3}, "holds no tensors by name"),
    ],
)
def test_what_is_no_state_dict_is_told(content: Any, said: str, tmp_path: Path) -> None:
    file = saved(tmp_path, content, "w.pth")
    assert said in refusal(network(), file, sha256=sha256(file))


@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_a_scripted_module_is_told(tmp_path: Path) -> None:
    file = tmp_path / "w.pt"
    torch.jit.trace(nn.Linear(1, 1), torch.ones(1, 1)).save(str(file))
    assert "it is a TorchScript program: save its state_dict()" in refusal(network(), file, sha256=sha256(file))


def test_garbage_is_told(tmp_path: Path) -> None:
    for name in ("w.pth", "w.safetensors"):
        (tmp_path / name).write_bytes(b"\x80garbage")
        assert "is damaged, or no file of weights" in refusal(
            network(), tmp_path / name, sha256=sha256(tmp_path / name)
        )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"strip": "module"}, "strip is given, but no weights"),
        ({"sha256": "0" * 64}, "sha256 is given, but no weights"),
        ({"weights": "w.pth", "sha256": "abc"}, "sha256"),
        ({"weights": "w.pth", "strip": ""}, "strip"),
    ],
)
def test_settings_of_weights_that_make_no_sense_are_refused(more: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        TypeAdapter(PlugIn).validate_python({"kind": "module", "target": "net.py:build", **more})

"""Plug-ins that remember, or that change what the whole process shares."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter

from pipeline.config.plugins import PlugIn
from pipeline.errors import UserError
from pipeline.models.adapted import Adapted
from pipeline.models.plugin import load_plug_in
from pipeline.paths import Paths

CODE = """
import warnings
import numpy as np
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function
    def forward(self, frames):
        return self.function(self, frames)

def smooth(y): return 0.9 * y + 0.1 * y.mean((2, 3), keepdim=True)

def made(function):
    def build(): return Net(function)
    return build

@made
def first_of_batch(self, y): return smooth(y) - 0.5 * y[:1].mean((2, 3), keepdim=True)

@made
def by_shape(self, y):
    kept = self.__dict__.setdefault("kept", {})
    if y.shape not in kept:
        kept[y.shape] = y.mean((2, 3), keepdim=True)
    return 0.9 * y + 0.1 * kept[y.shape]

@made
def wholly_by_shape(self, y):
    kept = self.__dict__.setdefault("kept", {})
    if y.shape not in kept:
        kept[y.shape] = smooth(y)
    return kept[y.shape] + 0

@made
def loudest(self, y):
    self.most = max(getattr(self, "most", 0), float(y.abs().max()))
    return smooth(y) / self.most

@made
def counting(self, y):
    self.calls = getattr(self, "calls", 0) + 1
    return smooth(y) * (1 if self.calls < 8 else 0.9)

class Tagged(torch.Tensor): pass

@made
def of_a_subclass(self, y): return smooth(y).as_subclass(Tagged)

def disturb():
    import os, sys
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.set_num_threads(3)
    torch.use_deterministic_algorithms(True)
    warnings.filterwarnings("ignore")
    os.chdir("/")
    sys.path.insert(0, "/")

@made
def disturbing(self, y):
    disturb()
    return smooth(y)

@made
def quietly_in_numpy(self, y):
    warnings.filterwarnings("ignore")
    return torch.from_numpy(smooth(y.detach()).numpy().copy())

buffer = np.empty((1, 1, 6, 6), np.float32)
def in_a_buffer(frames, sigma):
    return np.multiply(frames, sigma, out=buffer)
"""
FIELD = "extrapolate.d.m.denoiser"


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., Adapted]:
    def loaded(target: str, before: str = "", **section: Any) -> Adapted:
        folder = tmp_path / "data" / "own"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "net.py").write_text(f"{CODE}\n{before}")
        section = {"kind": "module", "target": f"net.py:{target}", **section}
        cfg: PlugIn = TypeAdapter(PlugIn).validate_python(section)
        clean = 0.5 + 0.1 * torch.rand(4, 1, 6, 6, generator=torch.Generator().manual_seed(0))
        return load_plug_in(cfg, clean, 0.1, Paths(tmp_path), "cpu", FIELD)

    return loaded


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("first_of_batch", "gives another result alone than in a batch"),
        ("wholly_by_shape", "returns the same for other frames"),
        ("by_shape", "alone than in a batch|something else after other frames"),
        ("loudest", "something else after other frames"),
        ("counting", "something else after other frames"),
    ],
)
def test_a_denoiser_that_mixes_or_remembers_is_refused(target: str, said: str, load: Callable[..., Adapted]) -> None:
    with pytest.raises(UserError, match=said) as caught:
        load(target)
    assert str(caught.value).startswith(f"params.yaml: {FIELD}: ")


def test_a_tensor_of_a_subclass_is_taken_as_a_tensor(load: Callable[..., Adapted]) -> None:
    assert type(load("of_a_subclass")(torch.rand(1, 1, 6, 6), 0.1)) is torch.Tensor


def shared() -> tuple[Any, ...]:
    modes = torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_num_threads()
    strict = torch.are_deterministic_algorithms_enabled()
    return *modes, strict, list(warnings.filters), os.getcwd(), list(sys.path)  # noqa: PTH109


@pytest.mark.filterwarnings("ignore:.*finite differences instead")
@pytest.mark.parametrize("before", ["", "disturb()"])
def test_what_code_changes_for_everyone_is_undone(before: str, load: Callable[..., Adapted]) -> None:
    known = shared()
    denoiser = load("disturbing", before)  # its gradient is off, so that it warns
    assert shared() == known
    denoiser(torch.rand(1, 1, 6, 6), 0.1)
    assert shared() == known


def test_code_that_silences_warnings_does_not_silence_ours(load: Callable[..., Adapted]) -> None:
    with pytest.warns(UserWarning, match="finite differences instead"):
        load("quietly_in_numpy", 'warnings.simplefilter("ignore")')


def test_arrays_that_share_a_buffer_are_told_apart(load: Callable[..., Adapted], tmp_path: Path) -> None:
    from pipeline.models import own_modules
    from pipeline.models.adapted import OnArrays

    (tmp_path / "net.py").write_text(CODE)
    module = OnArrays(own_modules.load(tmp_path / "net.py").in_a_buffer)
    ones, levels = torch.ones(2, 1, 6, 6), torch.tensor([1.0, 2.0])
    assert torch.equal(module(ones, levels), ones * levels.reshape(2, 1, 1, 1))

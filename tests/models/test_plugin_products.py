"""The Jacobian products of plug-in denoisers are checked before use, by values; and modules of every make are taken."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter

from manex.geometry.products import Jacobian
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
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 1, 3, padding=1))
        with torch.no_grad():
            for i, parameter in enumerate(self.parameters()):
                parameter.copy_(torch.linspace(-0.4 - i, 0.5, parameter.numel()).reshape(parameter.shape).sin() / 2)
    def forward(self, frames):
        return self.net(frames)

class Unseen(Net):
    def forward(self, frames):
        with torch.no_grad():
            return self.net(frames).roll(1, 3)

class Chatty(Net):
    def forward(self, frames):
        warnings.warn("gone in the next version", FutureWarning)
        nn.functional.upsample(frames, scale_factor=2)
        return self.net(frames).flip(3)

class Eighth(Net):
    def forward(self, frames):
        return (self.net(frames) * 255).round() / 255

class Complex(Net):
    def forward(self, frames):
        return torch.fft.ifft2(torch.fft.fft2(self.net(frames)))

class Half(Net):
    def forward(self, frames):
        return self.net(frames).half()

EXAMPLE, ANY = torch.rand(4, 1, 6, 6), ({0: torch.export.Dim("batch")},)

def plain(): return Net()
def unseen(): return Unseen()
def chatty(): return Chatty()
def eighth(): return Eighth()
def complex(): return Complex()
def half(): return Half()
def scripted(): return torch.jit.script(Net())
def frozen(): return torch.jit.freeze(torch.jit.script(Net().eval()))
def traced(): return torch.jit.trace(Net().eval(), EXAMPLE)
def exported(): return torch.export.export(Net().eval(), (EXAMPLE,), dynamic_shapes=ANY).module()
def exported_for_four(): return torch.export.export(Net().eval(), (EXAMPLE,)).module()
def compiled(): return torch.compile(Net(), backend="aot_eager")
def meta(): return Net().to("meta")

def blur(frames): return (frames + np.roll(frames, 1, 3)) / 2
def blur_to_bytes(frames): return (255 * blur(frames).clip(0, 1)).astype(np.uint8)
def blur_in_steps(frames): return np.round(255 * blur(frames)) / 255
def blur_in_spectrum(frames): return np.fft.ifft2(np.fft.fft2(frames))
def median(frames):
    return np.median(np.stack([np.roll(frames, (i, j), (2, 3)) for i in (-1, 0, 1) for j in (-1, 0, 1)]), 0)
"""
FIELD = "extrapolate.d.m.denoiser"


def load(root: Path, target: str, kind: str = "module", **section: Any) -> Adapted:
    (root / "data" / "own").mkdir(parents=True, exist_ok=True)
    (root / "data" / "own" / "net.py").write_text(CODE)
    cfg: PlugIn = TypeAdapter(PlugIn).validate_python({"kind": kind, "target": f"net.py:{target}", **section})
    clean = torch.rand(4, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*(leaves more noise|is deprecated)")
        return load_plug_in(cfg, clean, 0.1, Paths(root), "cpu", FIELD)


def dense(function: Any, point: torch.Tensor) -> torch.Tensor:
    """The Jacobian from values: central differences in float32, a column per pixel."""
    basis = 0.01 * torch.eye(36).reshape(36, 1, 6, 6)
    columns = [(function(point + e[None]) - function(point - e[None])).flatten() / 0.02 for e in basis]
    return torch.stack(columns, 1)


@pytest.fixture
def point() -> torch.Tensor:
    return torch.rand(1, 1, 6, 6, generator=torch.Generator().manual_seed(1))


@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")
@pytest.mark.parametrize("target", ["scripted", "frozen", "traced", "exported", "compiled"])
def test_a_module_of_every_make_is_the_plain_one(target: str, tmp_path: Path, point: torch.Tensor) -> None:
    expected = load(tmp_path, "plain", predicts="noise").at(0.1)
    found = load(tmp_path, target, predicts="noise").at(0.1)
    torch.testing.assert_close(found(point), expected(point))
    torch.testing.assert_close(Jacobian(found, point).dense(), Jacobian(expected, point).dense())
    assert Jacobian(found, point).exact


@pytest.mark.parametrize(
    ("target", "section", "said"),
    [
        ("complex", {}, "it turns torch.float32 into torch.complex64; the dtype must be kept"),
        ("half", {}, "it turns torch.float32 into torch.float16; the dtype must be kept"),
        ("exported_for_four", {}, r"it failed on frames .* Guard failed"),
        ("meta", {}, "it cannot be moved to cpu .* meta tensor"),
        ("eighth", {}, "the denoiser has no slope to measure: .* 8 bits"),
        ("eighth", {"predicts": "noise"}, "8 bits"),
        ("blur_in_steps", {"kind": "callable"}, "8 bits"),
        ("blur_to_bytes", {"kind": "callable"}, "returns an array of uint8; grey levels are floating-point numbers"),
        ("blur_in_spectrum", {"kind": "callable"}, "returns an array of complex"),
    ],
)
def test_what_has_no_jacobian_is_refused_in_a_line(
    target: str, section: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=said) as caught:
        load(tmp_path, target, **section)
    assert str(caught.value).startswith(f"params.yaml: {FIELD}: ")
    assert "\n" not in str(caught.value)


def test_a_noise_predictor_that_hides_from_autograd_is_differenced_with_a_warning(
    tmp_path: Path, point: torch.Tensor
) -> None:
    with pytest.warns(UserWarning, match=rf"{FIELD}: vjp is wrong: J v is .* off central differences: finite diff"):
        denoiser = load(tmp_path, "unseen", predicts="noise")
    jacobian = Jacobian(denoiser.at(0.1), point)
    assert jacobian.backend == "finite_difference"
    torch.testing.assert_close(jacobian.dense()[0], dense(denoiser.at(0.1), point), rtol=1e-2, atol=1e-2)


@pytest.mark.filterwarnings("ignore:gone in the next version", "ignore:.nn.functional.upsample")
def test_warnings_of_a_module_do_not_switch_autograd_off(tmp_path: Path, point: torch.Tensor) -> None:
    denoiser = load(tmp_path, "chatty")
    assert Jacobian(denoiser.at(0.1), point).backend == "vjp"


def test_finite_differences_of_a_function_with_kinks_are_told_of(tmp_path: Path) -> None:
    load(tmp_path, "blur", kind="callable")  # silent
    with pytest.warns(UserWarning, match=f"{FIELD}: its values are rounded or have kinks"):
        load(tmp_path, "median", kind="callable")

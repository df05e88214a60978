"""Plug-in denoisers that are not fit for use, each refused in a line with its field; and what DVC learns of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import TypeAdapter
from safetensors.torch import save_file

from manex.geometry.products import Jacobian
from pipeline.config.params import Params, parse
from pipeline.config.plugins import PlugIn
from pipeline.errors import UserError
from pipeline.models.adapted import Adapted
from pipeline.models.plugin import load_plug_in
from pipeline.paths import Paths
from pipeline.stages.code import Cells
from pipeline.storage.artifacts import sha256

CODE = """
import numpy as np
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, function): super().__init__(); self.function = function; self.scale = nn.Parameter(torch.ones(2))
    def forward(self, frames): return self.function(frames)

def good(gain=0.9): return Net(lambda y: gain * y + (1 - gain) * y.mean((2, 3), keepdim=True))
def smaller(): return Net(lambda y: y[..., 1:])
def nan(): return Net(lambda y: y / 0 * 0)
def random(): return Net(lambda y: y + torch.rand_like(y))
def mixing(): return Net(lambda y: y - 0.5 * y.mean(0, keepdim=True))
def opaque(): return Net(lambda y: torch.from_numpy(0 * y.numpy() + y.numpy().mean((2, 3), keepdims=True)))
def raising(): raise ValueError("no luck")
def wrong(): return 3
def noise(): return Net(lambda y: y - y.mean((2, 3), keepdim=True))
def along_all(frames): return 0 * frames + frames.mean()
number = 3
"""
FIELD = "extrapolate.d.m.denoiser"


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    folder = tmp_path / "data" / "own"
    folder.mkdir(parents=True)
    (folder / "net.py").write_text(CODE)
    (folder / "broken.py").write_text("def build(:\n")
    (tmp_path / "outside.py").write_text(CODE)
    return Paths(tmp_path)


def load(paths: Paths, **section: Any) -> Adapted:
    cfg: PlugIn = TypeAdapter(PlugIn).validate_python({"kind": "module", **section})
    flat = torch.linspace(0.2, 0.8, 4).reshape(4, 1, 1, 1).expand(4, 1, 6, 6)
    return load_plug_in(cfg, flat, 0.1, paths, "cpu", FIELD)


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"target": "nett.py:good"}, 'denoiser.target: .*nett.py is not there; did you mean "net.py"'),
        ({"target": "outside.py:good"}, "outside.py lies outside: mv outside.py data/own/"),
        ({"target": "net.py:goood"}, '"goood" is not a function of net.py; did you mean "good"'),
        ({"target": "net.py:number"}, '"number" is not a function of net.py'),
        ({"target": "broken.py:build"}, r"cannot be imported: SyntaxError"),
        ({"target": "no_such_package.net:build"}, "no_such_package.net cannot be imported"),
        ({"target": "net.py:raising"}, r"raising\(\) failed: ValueError: no luck \(net.py, line 16\)"),
        ({"target": "net.py:good", "arguments": {"gian": 1}}, r"good\(gian=1\) failed: TypeError"),
        ({"target": "net.py:wrong"}, "returned int, not a torch.nn.Module; .* kind: callable"),
        ({"target": "net.py:smaller"}, r"it failed on frames .* into \(4, 1, 6, 5\); the shape must be kept"),
        ({"target": "net.py:nan"}, "it returns NaN or infinity"),
        ({"target": "net.py:random"}, "something else at every call"),
        ({"target": "net.py:mixing"}, "gives another result alone than in a batch"),
        ({"target": "net.py:along_all", "kind": "callable"}, "gives another result alone than in a batch"),
        ({"target": "net.py:good", "sigma": "value"}, "it failed on frames .* TypeError"),
        ({"target": "net.py:good", "range": [1, 1]}, r"denoiser\.range \(1.0, 1.0\): black and white are the same"),
        ({"target": "net.py:good", "weights": "no.pt"}, "denoiser.weights: .*no.pt is not there"),
    ],
)
def test_what_is_not_fit_for_use_is_told_with_its_field(paths: Paths, section: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said) as caught:
        load(paths, **section)
    assert str(caught.value).startswith(f"params.yaml: {FIELD}")
    assert "\n" not in str(caught.value)


def test_weights_that_do_not_fit_are_told_with_their_field(paths: Paths) -> None:
    save_file({"other": torch.zeros(2)}, paths.root / "data" / "own" / "w.safetensors")
    with pytest.raises(UserError, match=r'm\.denoiser\.weights: .* does not fit Net: Missing key\(s\) .*"scale"'):
        load(paths, target="net.py:good", weights="w.safetensors")


def test_weights_are_put_into_the_module(paths: Paths) -> None:
    save_file({"scale": torch.tensor([3.0, 4.0])}, paths.root / "data" / "own" / "w.safetensors")
    for target in ("net.py:good", "data/own/net.py:good"):
        module = load(paths, target=target, weights="w.safetensors").module
        assert module.scale.tolist() == [3, 4]  # type: ignore[union-attr]


def test_a_prefix_and_a_hash_reach_the_file_of_weights(paths: Paths) -> None:
    file = paths.root / "data" / "own" / "w.pth"
    torch.save({"module.scale": torch.tensor([3.0, 4.0])}, file)
    module = load(paths, target="net.py:good", weights="w.pth", strip="module.", sha256=sha256(file)).module
    assert module.scale.tolist() == [3, 4]  # type: ignore[union-attr]


def test_what_autograd_cannot_see_through_gets_finite_differences_and_a_warning(paths: Paths) -> None:
    with pytest.warns(UserWarning, match="is not differentiable: finite differences instead"):
        denoiser = load(paths, target="net.py:opaque")
    y = torch.rand(1, 1, 6, 6)
    assert Jacobian(denoiser.at(0.1), y).backend == "finite_difference"


def test_a_denoiser_in_the_other_convention_is_warned_of(paths: Paths) -> None:
    with pytest.warns(UserWarning, match="leaves more noise than it takes .*; or does it predict the noise"):
        load(paths, target="net.py:noise")
    load(paths, target="net.py:noise", predicts="noise")


def params(**denoisers: Any) -> Params:
    walks = {
        name: {"algorithm": "tangent_flow", "frames": 1, "sigma_255": 15, "denoiser": denoiser}
        for name, denoiser in denoisers.items()
    }
    return parse(
        {
            "profile": "own", "reports": "reports/own", "sources": [], "trials": {}, "datasets": ["d"], "models": [],
            "methods": list(walks), "analyses": ["spectrum"], "data": {"d": {"kind": "walker"}}, "train": {},
            "extrapolate": {"d": walks}, "analyse": {"d": {"spectrum": {"kind": "spectrum", "walks": list(walks)[:1]}}},
        },
        "params.yaml",
    )  # fmt: skip


def section(**more: Any) -> dict[str, Any]:
    return {"kind": "module", "target": "net.py:good", **more}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (section(weights="../w.pt"), '.denoiser.weights: "../w.pt" leaves data/own, the folder that DVC watches'),
        (section(target="/home/net.py:build"), ".denoiser.target: "),
        (section(target="net.py"), '.denoiser.target: "net.py" names no function; write'),
        (section(predict="noise"), '.denoiser.predict: unknown; did you mean "predicts"?'),
        (section(kind="modul"), ".denoiser.kind: 'modul' is unknown; did you mean \"module\"?"),
        (section(predicts="nose"), ".denoiser.predicts: "),
        (5, ".denoiser: "),
        ("orakle", '.denoiser: "orakle" is not defined under models; did you mean "oracle"?'),
    ],
)
def test_a_section_that_does_not_fit_is_told_with_its_field(value: object, said: str) -> None:
    (line,) = dict.fromkeys(params(m=value).complaints())
    assert line.startswith(f"params.yaml: extrapolate.d.m{said}")


def noted(paths: Paths, settings: Params) -> dict[str, str]:
    """What DVC learns of the files of plug-ins, by cell, as text to be compared."""
    return {
        name: json.dumps(facts.get("plug_ins"), sort_keys=True)
        for name, facts in Cells(settings, paths).all()
        if name.startswith(("extrapolate/", "evaluate/", "analyse/"))
    }


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def test_a_change_of_weights_reaches_the_cells_that_name_them_and_no_others(paths: Paths) -> None:
    own = paths.root / "data" / "own"
    (own / "a.pt").write_bytes(b"1")
    (own / "b").mkdir()
    (own / "b" / "unet.safetensors").write_bytes(b"1")
    settings = params(
        named="oracle", a=section(weights="a.pt"), b={"kind": "diffusers", "weights": "b"}, bare=section()
    )
    before = noted(paths, settings)
    assert before["extrapolate/d/named"] == before["analyse/d/spectrum"] == "null"
    (own / "a.pt").write_bytes(b"2")
    after = noted(paths, settings)
    assert changed(before, after) == {"extrapolate/d/a", "evaluate/d"}  # the walks are diagnosed with their denoisers
    (own / "b" / "unet.safetensors").write_bytes(b"2")
    assert changed(after, noted(paths, settings)) == {"extrapolate/d/b", "evaluate/d"}


def test_a_change_of_code_reaches_every_plug_in_and_no_other_cell(paths: Paths) -> None:
    settings = params(a=section(), named="oracle", b=section(arguments={"gain": 0.5}))
    before = noted(paths, settings)
    (paths.root / "data" / "own" / "helper.py").write_text("x = 1\n")
    reached = {"extrapolate/d/a", "extrapolate/d/b", "evaluate/d", "analyse/d/spectrum"}
    assert changed(before, noted(paths, settings)) == reached

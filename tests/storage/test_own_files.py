"""What DVC learns of plug-in denoisers: every file of data/own that a cell can read, and nothing that it cannot see."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.params import Params, parse
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.stages.code import Cells
from pipeline.storage.own_files import own_files
from pipeline.sweeps.work import plug_in_digest

NET = "from torch import nn\n\ndef build(**arguments):\n    return nn.Conv2d(1, 1, 3)\n"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder of plug-ins with a network that reads no file."""
    folder = tmp_path / "data" / "own"
    folder.mkdir(parents=True)
    put(folder, "net.py", NET)
    return folder


def put(folder: Path, name: str, text: str = "1") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def params(**denoisers: Any) -> Params:
    walks = {
        name: {"algorithm": "tangent_flow", "frames": 1, "sigma_255": 15, "denoiser": denoiser}
        for name, denoiser in denoisers.items()
    }
    return parse(
        {
            "profile": "own", "reports": "reports/own", "sources": [], "datasets": ["d"], "models": [],
            "methods": list(walks), "data": {"d": {"kind": "walker"}}, "train": {},
            "trials": {"seeds": [0]}, "extrapolate": {"d": walks}, "analyses": [], "analyse": {},
        },
        "params.yaml",
    )  # fmt: skip


def module(**more: Any) -> dict[str, Any]:
    return {"kind": "module", "target": "net.py:build", **more}


def noted(own: Path, settings: Params) -> dict[str, str]:
    """The files of plug-ins that each walk depends on, as text to be compared."""
    facts = dict(Cells(settings, Paths(own.parents[1])).all())
    return {name: json.dumps(facts[f"extrapolate/d/{name}"].get("plug_ins")) for name in settings.methods}


def reached(own: Path, file: str, **denoisers: Any) -> set[str]:
    """The walks that run again when a file changes."""
    settings = params(**denoisers)
    before = noted(own, settings)
    put(own, file, "another = 2")
    after = noted(own, settings)
    return {name for name in before if before[name] != after[name]}


def test_weights_reach_the_walks_that_name_them_and_no_others(own: Path) -> None:
    put(own, "b.safetensors")
    assert reached(own, "b.safetensors", a=module(), b=module(weights="b.safetensors")) == {"b"}


@pytest.mark.parametrize(
    "arguments",
    [
        {"path": "b.safetensors"},
        {"path": "data/own/b.safetensors"},
        {"path": "b"},
        {"deep": {"list": ["x", {"path": "./b.safetensors"}]}},
        {"folder": "."},
        {"folder": "data/own"},
    ],
)
def test_weights_of_one_walk_that_are_an_argument_of_another_reach_both(own: Path, arguments: dict[str, Any]) -> None:
    put(own, "b.safetensors")
    walks = {"a": module(arguments=arguments), "b": module(weights="b.safetensors")}
    assert reached(own, "b.safetensors", **walks) == {"a", "b"}


@pytest.mark.parametrize(
    "code",
    [
        "from safetensors.torch import load_file\nW = load_file(__file__ + '/../b.safetensors')\n",
        "import torch\nfrom pathlib import Path\nW = [torch.load(p) for p in Path(__file__).parent.iterdir()]\n",
        "import onnxruntime\nW = onnxruntime.InferenceSession('data/own/b.safetensors')\n",
        "from diffusers import UNet2DModel\nW = UNet2DModel.from_pretrained('data/own')\n",
        "from helper import weights\n",
        "from .helper import weights\n",
        "import package\n",
        "exec(open('data/own/helper.txt').read())\n",
        "def broken(:\n",
    ],
)
def test_weights_of_another_walk_that_code_can_read_when_it_is_imported_reach_it(own: Path, code: str) -> None:
    put(own, "b.safetensors")
    put(own, "helper.py", "from safetensors.torch import load_file as weights\n")
    put(own, "package/__init__.py", "from . import inner\n")
    put(own, "package/inner.py", "import numpy\nW = numpy.fromfile('../b')\n")
    put(own, "reader.py", code + NET)
    walks = {"a": module(target="reader.py:build"), "b": module(weights="b.safetensors")}
    assert reached(own, "b.safetensors", **walks) == {"a", "b"}


def test_a_package_that_is_installed_may_read_all_of_it(own: Path) -> None:
    put(own, "b.safetensors")
    walks = {"a": module(target="some.package:build"), "b": module(weights="b.safetensors")}
    assert reached(own, "b.safetensors", **walks) == {"a", "b"}


@pytest.mark.parametrize("file", ["nets/net.py", "nets/data.txt", "nets/unet/block.py", "net.py", "package/data.csv"])
def test_no_folder_of_weights_hides_code_or_data_in_it(own: Path, file: str) -> None:
    put(own, "nets/net.py", NET)
    put(own, file, NET)
    walks = {"a": module(target="nets/net.py:build"), "b": {"kind": "diffusers", "weights": "nets"}}
    assert reached(own, file, **walks) == {"a", "b"}


def test_a_link_to_a_file_counts_as_what_it_leads_to(own: Path, tmp_path: Path) -> None:
    put(tmp_path, "elsewhere.safetensors")
    (own / "b.safetensors").symlink_to(tmp_path / "elsewhere.safetensors")
    assert reached(own, "b.safetensors", a=module(), b=module(weights="b.safetensors")) == {"b"}
    assert (tmp_path / "elsewhere.safetensors").read_text() == "another = 2"


def link(own: Path) -> str:
    put(own.parents[1], "lib/helper.py")
    (own / "lib").symlink_to(own.parents[1] / "lib")
    return "data/own/lib: a link to a folder: DVC does not look into it; put the folder itself there"


def link_within(own: Path) -> str:
    put(own, "v1/helper.py")
    (own / "deep").mkdir()
    (own / "deep" / "lib").symlink_to("../v1")
    return "data/own/deep/lib: a link to a folder"


def other_project(own: Path) -> str:
    put(own, "repository/.dvc/config")
    return "data/own/repository/.dvc: DVC leaves out other DVC projects, here data/own/repository"


def ignored(own: Path) -> str:
    put(own, "nets/.dvcignore", "*.safetensors")
    return "data/own/nets/.dvcignore: DVC leaves out what it names"


def bytecode(own: Path) -> str:
    put(own, "helper.pyc")
    return "data/own/helper.pyc: DVC does not see bytecode"


@pytest.mark.parametrize("make", [link, link_within, other_project, ignored, bytecode])
def test_what_dvc_does_not_see_is_refused(own: Path, make: Callable[[Path], str]) -> None:
    said = make(own)
    for refuses in (
        lambda: Cells(params(a=module()), Paths(own.parents[1])),
        lambda: plug_in_digest(Paths(own.parents[1])),
    ):
        with pytest.raises(UserError) as caught:
            refuses()
        assert str(caught.value).startswith(said)


def test_what_dvc_leaves_out_and_no_denoiser_reads_is_left_out(own: Path) -> None:
    put(own, "__pycache__/net.cpython-311.pyc")
    put(own, "repository/.git/HEAD")
    put(own, "module/.git", "gitdir: elsewhere")
    put(own, "module/.hidden")
    assert own_files(own.parents[1]) == [Path("data/own/module/.hidden"), Path("data/own/net.py")]


@pytest.mark.parametrize("text", ["{root}/scratch/b.pth", "scratch/b.pth", "b.pth", "data/own/../../b.pth", "scratch/"])
def test_an_argument_that_names_what_dvc_does_not_watch_is_refused(own: Path, text: str) -> None:
    root = own.parents[1]
    put(root, "scratch/b.pth")
    put(root, "b.pth")
    text = text.format(root=root)
    with pytest.raises(UserError) as caught:
        Cells(params(a=module(arguments={"path": text})), Paths(root))
    assert str(caught.value) == (
        f'params.yaml: extrapolate.d.a.denoiser.arguments: "{text}" is outside data/own, '
        "the folder that DVC watches: put it there"
    )


@pytest.mark.parametrize(
    "text", ["net.py", "data/own/net.py", "models/d/resunet/w.safetensors", "data", "/", "a b\0", "~"]
)
def test_other_arguments_are_none_of_its_business(own: Path, text: str) -> None:
    put(own.parents[1], "models/d/resunet/w.safetensors")
    Cells(params(a=module(arguments={"path": text})), Paths(own.parents[1]))


@pytest.mark.parametrize(
    "code", ["W = open('{root}/scratch/b.pth')\n", "import sys\nsys.path.append('{root}/scratch')\n"]
)
def test_code_that_names_what_dvc_does_not_watch_is_refused(own: Path, code: str) -> None:
    root = own.parents[1]
    put(root, "scratch/b.pth")
    put(root, "scratch/helper.py")
    put(own, "deep/reader.py", code.format(root=root))
    put(own, "net.py", "import deep.reader\n" + NET)
    with pytest.raises(
        UserError, match=r'data/own/deep/reader\.py: ".*/scratch.*" is outside data/own, the folder that DVC'
    ):
        Cells(params(a=module()), Paths(root))


@pytest.mark.parametrize("stray", ["helpers.py", "helpers/__init__.py"])
def test_code_that_imports_what_dvc_does_not_watch_is_refused(own: Path, stray: str) -> None:
    put(own.parents[1], stray)
    put(own, "net.py", "from helpers import x\n" + NET)
    for target, place in (("net.py:build", "data/own/net.py"), ("helpers:build", "target helpers")):
        with pytest.raises(UserError, match=f"{place}: it imports {stray}, which is outside data/own"):
            Cells(params(a=module(target=target)), Paths(own.parents[1]))


@pytest.mark.parametrize(
    ("target", "code"),
    [
        ("net.py:build", "from manex.networks.resunet import ResUNet as build\n"),
        ("net.py:build", "import helper\n"),
        ("net.py:build", "from manex import ResUNetTraining\n"),
        ("net.py:build", "import manex as mx\ndef other(): return mx.ResUNetTraining\n"),
        ("net.py:build", "from manex import *\ndef other(): return ResUNetTraining\n"),
        ("net.py:build", "import importlib\nother = importlib.import_module('manex.networks.resunet')\n"),
        ("manex.networks.resunet:ResUNet", ""),
    ],
)
def test_what_a_plug_in_imports_of_this_project_is_code_of_its_cells(own: Path, target: str, code: str) -> None:
    put(own, "helper.py", "import manex.networks.resunet\n")
    put(own, "net.py", code + NET)
    facts = dict(Cells(params(a=module(target=target), b=module(target="other.py:f")), Paths(own.parents[1])).all())
    cells = {name for name, parts in facts.items() if "manex/networks/resunet.py" in parts}
    assert cells == {"extrapolate/d/a", "evaluate/d"}

"""What each cell's code is: the files it imports, each as what it says to the interpreter."""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from pipeline.closure import PACKAGES, SILENT, Source
from pipeline.config.params import load, parse
from pipeline.paths import Paths
from pipeline.stages.code import Cells, code

ROOT = Path(__file__).parents[1]
FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def project(root: Path, **files: str) -> Path:
    """Files of the package `manex` below a root, by their names with `__` for a slash."""
    for name, text in files.items():
        path = root / "manex" / f"{name.replace('__', '/')}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def closure(root: Path, module: str = "manex.a") -> set[str]:
    return {Path(file).stem for file in Source(root).closure([module])}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import manex.b", {"b"}),
        ("import manex.b as other", {"b"}),
        ("from manex import b", {"b"}),
        ("from manex.b import thing", {"b"}),
        ("from manex.b import *", {"b"}),
        ("from . import b", {"b"}),
        ("from .b import thing", {"b"}),
        ("from manex.deep.c import thing", {"c"}),
        ("from manex.deep import c, d", {"c", "d"}),
        ("def f():\n    from manex.b import thing", {"b"}),
        ("try:\n    import manex.b\nexcept ImportError:\n    import manex.deep.c", {"b", "c"}),
        ("class A:\n    import manex.b", {"b"}),
        ("import torch, os.path\nfrom manifold import b", set()),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import manex.b", set()),
        ("import typing\nif typing.TYPE_CHECKING:\n    import manex.b\nelse:\n    import manex.deep.c", {"c"}),
        ("import manex.nothing_there", set()),
    ],
)
def test_imports_are_followed_wherever_they_are(text: str, expected: set[str], tmp_path: Path) -> None:
    project(tmp_path, a=text, b="", deep__c="", deep__d="")
    assert closure(tmp_path) == {"a", *expected}


def test_a_relative_import_in_a_folder_leads_into_its_parent(tmp_path: Path) -> None:
    project(tmp_path, b="", deep__c="from ..b import x\nfrom .d import y", deep__d="")
    assert closure(tmp_path, "manex.deep.c") == {"b", "c", "d"}


def test_what_is_imported_is_followed_further_and_a_circle_ends(tmp_path: Path) -> None:
    project(tmp_path, a="import manex.b", b="import manex.c", c="import manex.a\nimport manex.d", d="", e="")
    assert closure(tmp_path) == {"a", "b", "c", "d"}


def test_a_name_imported_from_a_package_leads_to_the_package(tmp_path: Path) -> None:
    project(tmp_path, a="from manex.deep import thing", deep__c="")
    (tmp_path / "manex" / "deep" / "__init__.py").write_text("from manex.deep.c import thing")
    assert closure(tmp_path) == {"a", "__init__", "c"}


def test_silent_files_and_what_they_import_are_left_out(tmp_path: Path) -> None:
    project(tmp_path, a="import manex.errors", errors="import manex.b", b="")
    assert closure(tmp_path) == {"a"}


def test_a_file_that_is_no_python_is_named(tmp_path: Path) -> None:
    project(tmp_path, a="def (")
    with pytest.raises(ValueError, match=r"manex/a\.py: not Python"):
        closure(tmp_path)


CODE = '''
"""A module."""

from pydantic import BaseModel, Field


class Settings(BaseModel):
    """Of a thing."""

    size: int = Field(3, ge=1, description="of a frame")
    """In pixels."""


def f(x):
    # doubled
    return 2 * x
'''


def digest(root: Path, text: str) -> str:
    return Source(project(root, a=text)).closure(["manex.a"])["manex/a.py"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("# doubled", "# twice as much"),
        ("    # doubled\n", ""),
        ('"""A module."""', '"""Another text."""'),
        ('"""Of a thing."""', '"""Of another thing."""'),
        ('    """Of a thing."""\n\n', ""),
        ('    """In pixels."""\n', ""),
        ('description="of a frame"', 'description="side of a frame"'),
        (', description="of a frame"', ""),
        ("def f(x):", 'def f(x):\n    """Twice."""'),
        ("return 2 * x", "return (2 * x)"),
        ("2 * x", "2  *  x"),
    ],
)
def test_words_for_readers_change_no_hash(old: str, new: str, tmp_path: Path) -> None:
    assert old in CODE
    assert digest(tmp_path, CODE.replace(old, new)) == digest(tmp_path, CODE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2 * x", "3 * x"),
        ("2 * x", "2.0 * x"),
        ("size", "side"),
        ("Field(3", "Field(4"),
        ("ge=1", "ge=2"),
        ("def f(", "def g("),
        ("x: ", "y: "),
        ("return", "yield"),
        ("BaseModel, Field", "Field, BaseModel"),
    ],
)
def test_any_other_change_changes_the_hash(old: str, new: str, tmp_path: Path) -> None:
    text = CODE.replace("def f(x)", "def f(x: int)")
    changed = text.replace(old, new)
    assert changed != text
    assert digest(tmp_path, changed) != digest(tmp_path, text)


def test_a_template_counts_with_the_file_that_names_it_alone(tmp_path: Path) -> None:
    project(tmp_path, a="import manex.b\nname = 'page.j2'", b="")

    def hashes(template: str) -> dict[str, str]:
        (tmp_path / "manex" / "page.j2").write_text(template)
        return Source(tmp_path).closure(["manex.a"])

    first, second = hashes("one"), hashes("two")
    assert [file for file in first if first[file] != second[file]] == ["manex/a.py"]


@pytest.mark.parametrize("file", SILENT)
def test_a_file_left_out_exists(file: str) -> None:
    assert (ROOT / file).is_file()


def test_names_are_imported_from_modules_and_not_from_packages() -> None:
    """A package may import lazily what it offers, which nobody could follow."""
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in PACKAGES:
                folder = ROOT / str(node.module).replace(".", "/")
                packages = [alias.name for alias in node.names if folder.is_dir()]
                found = [name for name in packages if (folder / f"{name}.py").is_file() or (folder / name).is_dir()]
                assert found == packages, f"{path}: line {node.lineno}"


def test_every_module_that_a_string_names_exists() -> None:
    """`module:name` strings are imported when they are used; nothing else would notice a wrong one."""
    pattern = re.compile(rf"({'|'.join(PACKAGES)})(\.\w+)+:\w+")
    found = {
        node.value: path
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and pattern.fullmatch(node.value)
    }
    assert found
    for text in found:
        module, _, name = text.partition(":")
        assert hasattr(importlib.import_module(module), name), f"{found[text]}: {text}"


@pytest.fixture(scope="module")
def facts() -> dict[str, dict[str, Any]]:
    """What every cell of the default profile runs."""
    return dict(Cells(load(ROOT / "params.yaml"), Paths(ROOT)).all())


@pytest.mark.parametrize(
    ("cell", "with_it", "without_it"),
    [
        ("prepare/walker", ("datasets/walker",), ("datasets/rotation", "datasets/weizmann", "denoisers/base")),
        ("train/walker/resunet", ("networks/resunet", "training/denoising"), ("networks/vae", "networks/unet")),
        ("train/walker/vae", ("networks/vae",), ("networks/resunet", "training/denoising")),
        ("extrapolate/walker/persistence", ("extrapolators/persistence",), ("geometry/products", "networks/resunet")),
        ("extrapolate/walker/tangent_flow", ("geometry/products", "networks/resunet"), ("metrics/dtw", "networks/vae")),
        ("extrapolate/walker/oracle", ("denoisers/oracle", "denoisers/mixture"), ("networks/resunet",)),
        ("extrapolate/rotated_mnist/tangent_flow_unet", ("networks/unet",), ("networks/resunet",)),
        ("evaluate/walker", ("metrics/coordinates", "networks/resunet", "denoisers/memoriser"), ("networks/unet",)),
        ("analyse/walker/spectrum", ("analyses/spectrum", "networks/resunet"), ("metrics/dtw", "analyses/geometry")),
        ("analyse/rotated_mnist/card", ("networks/unet", "denoisers/memoriser"), ("networks/vae", "denoisers/oracle")),
        ("findings", ("settings",), ("analyses/card", "analyses/base")),
        ("table", ("metrics/intervals",), ("metrics/coordinates", "extrapolators/latent")),
        ("figures", ("metrics/ssim",), ("networks/resunet",)),
    ],
)
def test_a_cell_runs_what_it_uses_and_nothing_else(
    cell: str, with_it: tuple[str, ...], without_it: tuple[str, ...], facts: dict[str, dict[str, Any]]
) -> None:
    assert {f"manex/{name}.py" for name in with_it} <= facts[cell].keys()
    assert not {f"manex/{name}.py" for name in without_it} & facts[cell].keys()


def test_every_file_of_claims_is_code_of_the_findings(facts: dict[str, dict[str, Any]]) -> None:
    assert {f"pipeline/findings/{path.name}" for path in (ROOT / "pipeline" / "findings").glob("*.py")} <= (
        facts["findings"].keys() | {"pipeline/findings/__init__.py"}
    )


def test_a_skipped_cell_runs_no_walk(facts: dict[str, dict[str, Any]]) -> None:
    assert facts["extrapolate/weizmann/oracle"] == {}


def test_the_source_of_a_dataset_and_the_plug_ins_are_code_of_their_cells(tmp_path: Path) -> None:
    values = load(ROOT / "params.yaml").model_dump(mode="json")
    walk = {**values["extrapolate"]["walker"]["tangent_flow"], "denoiser": {"kind": "callable", "target": "a.py:f"}}
    section = {**values["extrapolate"], "walker": {**values["extrapolate"]["walker"], "tangent_flow": walk}}
    found = dict(Cells(parse({**values, "extrapolate": section}, "params.yaml"), Paths(tmp_path)).all())
    assert "pipeline/sources/weizmann.py" in found["prepare/weizmann"]
    assert "pipeline/sources/mnist.py" in found["prepare/rotated_mnist"]
    cells = {name for name, parts in found.items() if "pipeline/models/plugin.py" in parts}
    assert cells == {
        "extrapolate/walker/tangent_flow", "evaluate/walker", "analyse/walker/geometry", "analyse/walker/spectrum",
        "analyse/walker/symmetry",
    }  # fmt: skip


def test_outputs_of_cells_that_are_not_named_any_more_go(tmp_path: Path) -> None:
    params, paths = load(ROOT / "profiles" / "smoke.yaml"), Paths(tmp_path)
    kept = [paths.prepared(params.datasets[0]), paths.model(params.datasets[0], params.models[0])]
    gone = [paths.prepared("gone"), paths.model(params.datasets[0], "gone"), paths.scores("gone")]
    for folder in (*kept, *gone, paths.root / "models" / ".checkpoints"):
        folder.mkdir(parents=True)
    code(params, paths)
    assert all(folder.is_dir() for folder in (*kept, paths.root / "models" / ".checkpoints"))
    assert not any(folder.exists() for folder in gone)

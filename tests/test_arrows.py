"""Which part of the project may import which: an arrow never runs back, and no imports go round in a circle.

Imports are followed wherever they are in a file, except those for type checkers.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import manex
from pipeline.closure import Source

ROOT = Path(__file__).parents[1]
LAYERS = {
    "manex": (
        {"arrays", "errors", "settings"},
        {"datasets", "geometry", "measurements", "motion", "networks", "noises"},
        {"denoisers"},
        {"metrics", "samplers"},
        {"analyses", "completers", "extrapolators", "training"},
        {"front"},
    ),
    "pipeline": (
        {"closure", "errors", "paths", "progress", "redaction", "settings"},
        {"config"},
        {"clips", "figures", "findings", "models", "report", "sources", "storage"},
        {"engine", "stages", "sweeps", "tracking"},
        {"__main__", "cli"},
    ),
}
"""The packages and files of each house, the lowest first: a layer imports from itself and from below."""
WORKFLOW = {"dvc", "joblib", "mlflow", "pipeline", "rich", "ruamel", "typer"}
STORAGE = {"fsspec", "pandas", "pooch", "requests", "safetensors", "shutil", "sqlite3", "tempfile", "urllib"}
"""What the library does without: the workflow's tools, and whatever is there to reach the disk or the network."""
FILES = {"fromfile", "load", "memmap", "open", "read_bytes", "read_text", "save", "savetxt", "savez"}
FILES |= {"mkdir", "tofile", "touch", "unlink", "write_bytes", "write_text"}
"""Functions and methods that open files or change folders: of builtins, Path, numpy and torch."""
ON_DISK = {
    "manex/front/load.py": "reads the weights that come with the package",
    "manex/front/pictures.py": "two images in, a moving picture out: files are what a user has and wants",
}
"""The files of the library that reach the disk, with the reason; they know no workflow, either."""


def sources(root: Path) -> list[str]:
    """The files of both houses, relative to the root."""
    return sorted(str(path.relative_to(root)) for house in LAYERS for path in (root / house).rglob("*.py"))


def layer(file: str) -> int:
    """How high a file is in its house; -1 for the front door of the house, `__init__.py`."""
    house, *rest = Path(file).with_suffix("").parts
    if rest == ["__init__"]:
        return -1
    found = [height for height, names in enumerate(LAYERS[house]) if rest[0] in names]
    assert found, f"{file}: {rest[0]} is in no layer; name it in tests/test_arrows.py"
    return found[0]


def backward(root: Path) -> list[str]:
    """Every import that points from a lower layer to a higher one, or from the library to the workflow."""
    source = Source(root)
    pairs = ((file, other) for file in sources(root) for other in source.imports(file))
    return [f"{file} -> {other}" for file, other in pairs if not _allowed(file, other)]


def _allowed(file: str, other: str) -> bool:
    here, there = file.partition("/")[0], other.partition("/")[0]
    return layer(other) <= layer(file) if here == there else there == "manex"


def circle(root: Path) -> list[str]:
    """The files of one circle of imports, the first one again at the end; none if there is no circle."""
    source, done = Source(root), set[str]()

    def follow(way: list[str]) -> list[str]:
        if way[-1] in way[:-1]:
            return way[way.index(way[-1]) :]
        found = []
        if way[-1] not in done:
            found = next(filter(None, (follow([*way, other]) for other in source.imports(way[-1]))), [])
            done.add(way[-1])
        return found

    return next(filter(None, (follow([file]) for file in sources(root))), [])


def imported(tree: ast.AST) -> Iterator[str]:
    """Dotted names of everything imported, anywhere in a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def called(tree: ast.AST) -> Iterator[str]:
    """The last name of everything that is called: `save` of `torch.save(...)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            yield node.func.id if isinstance(node.func, ast.Name) else node.func.attr


def tree_of(file: str) -> ast.AST:
    return ast.parse((ROOT / file).read_text())


def test_no_arrow_runs_back() -> None:
    assert backward(ROOT) == []


def test_no_imports_go_round_in_a_circle() -> None:
    assert " -> ".join(circle(ROOT)) == ""


@pytest.mark.parametrize("file", [file for file in sources(ROOT) if file.startswith("manex/")])
def test_the_library_knows_no_workflow_and_no_disk(file: str) -> None:
    tree = tree_of(file)
    packages = {name.partition(".")[0] for name in imported(tree)}
    assert packages & WORKFLOW == set()
    on_disk = bool(packages & STORAGE or set(called(tree)) & FILES)
    assert on_disk == (file in ON_DISK)


def test_mlflow_is_imported_in_one_place() -> None:
    found = [file for file in sources(ROOT) if "mlflow" in {n.partition(".")[0] for n in imported(tree_of(file))}]
    assert found == ["pipeline/tracking/store.py"]


def test_inside_the_project_names_are_imported_from_where_they_are() -> None:
    """The names of `manex` itself are looked up when they are used, so that staleness could not follow them."""
    lazy = {f"manex.{name}" for name in manex.__all__}
    assert [file for file in sources(ROOT) if file != "manex/__init__.py" and lazy & set(imported(tree_of(file)))] == []


@pytest.mark.parametrize(
    ("file", "statement", "other"),
    [
        ("manex/geometry/a.py", "import pipeline.paths", "pipeline/paths.py"),
        ("manex/networks/a.py", "from manex.denoisers import base", "manex/denoisers/base.py"),
        ("pipeline/config/a.py", "def f():\n    from pipeline.stages.train import train", "pipeline/stages/train.py"),
    ],
)
def test_an_arrow_that_runs_back_is_reported_with_both_files(
    file: str, statement: str, other: str, tmp_path: Path
) -> None:
    written(tmp_path, {file: statement, other: ""})
    assert backward(tmp_path) == [f"{file} -> {other}"]


def test_an_arrow_for_type_checkers_does_not_count(tmp_path: Path) -> None:
    guarded = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from manex.denoisers import base"
    written(tmp_path, {"manex/networks/a.py": guarded, "manex/denoisers/base.py": ""})
    assert backward(tmp_path) == []


def test_a_circle_is_reported_with_every_file_in_it(tmp_path: Path) -> None:
    chain = {"b": "from manex.geometry.c import x", "c": "import manex.geometry.d", "d": "from manex.geometry import b"}
    written(tmp_path, {f"manex/geometry/{name}.py": text for name, text in {"a": chain["b"], **chain}.items()})
    assert circle(tmp_path) == [f"manex/geometry/{name}.py" for name in "cdbc"]


def written(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)

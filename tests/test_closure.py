"""DVC runs a stage again when one of its `deps` changes, and knows nothing of imports: they must be among them.

Some files are left out, because they decide where things lie and how they are told, never what is computed:
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[1]
FROM_THE_USER = "data/own"
"""In git with a README, so that it is there."""
EXEMPT = {
    "pipeline/errors.py": "words of error messages",
    "pipeline/metrics/errors.py": "an exception without code",
    "pipeline/outcomes.py": "reads records for MLflow",
    "pipeline/paths.py": "where things lie; DVC sees a path that changes as an output that is missing",
    "pipeline/progress.py": "bars on the terminal",
    "pipeline/runs.py": "MLflow, rebuilt from the records",
    "pipeline/settings.py": "the machine: device, threads, tracking; must not reach dvc.lock",
    "pipeline/stages/records.py": "records of time and machine beside the outputs, not tracked",
    "pipeline/tracking.py": "MLflow, by its own interface",
}
STAGES: dict[str, dict[str, Any]] = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text())["stages"]
PARAMS = {
    path.name: YAML(typ="safe", pure=True).load(path.read_text())
    for path in (ROOT / "params.yaml", *sorted((ROOT / "profiles").glob("*.yaml")))
}


@cache
def imports(path: Path) -> frozenset[Path]:
    """The project files that a file imports, anywhere in it: at the top, in functions, for type checkers."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports are not followed"
            found |= {node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)}
    candidates = (ROOT / name.replace(".", "/") for name in found if name.split(".")[0] == "pipeline")
    files = (file for stem in candidates for file in (stem.with_suffix(".py"), stem / "__init__.py"))
    return frozenset(file for file in files if file.is_file())


def closure(module: Path) -> set[str]:
    """All project files that a file needs, itself included, but not what the exempt ones need."""
    seen, todo = set(), [module]
    while todo:
        path = todo.pop()
        name = path.relative_to(ROOT).as_posix()
        if name not in seen and name not in EXEMPT and path.name != "__init__.py":
            seen.add(name)
            todo += imports(path)
    return seen


def cells(stage: dict[str, Any], params: dict[str, Any]) -> Iterator[dict[str, str]]:
    """The values of a stage's matrix, one dict a cell."""
    axes = {name: params[axis.strip("${}")] for name, axis in stage.get("matrix", {}).items()}
    for values in product(*axes.values()):
        yield {f"${{item.{name}}}": value for name, value in zip(axes, values, strict=True)}


def filled(text: str, cell: dict[str, str]) -> str:
    for name, value in cell.items():
        text = text.replace(name, value)
    return text


@pytest.mark.parametrize("stage", STAGES)
def test_every_file_a_stage_imports_is_a_dependency_of_it(stage: str) -> None:
    deps = STAGES[stage]["deps"]
    needed = closure(ROOT / "pipeline" / "stages" / f"{stage}.py")
    missing = {file for file in needed if not any(file == dep or file.startswith(f"{dep}/") for dep in deps)}
    assert missing == set()


@pytest.mark.parametrize("stage", STAGES)
def test_every_source_dependency_is_imported(stage: str) -> None:
    """A dependency too many costs hours of needless training."""
    needed = closure(ROOT / "pipeline" / "stages" / f"{stage}.py")
    sources = [dep for dep in STAGES[stage]["deps"] if dep.startswith("pipeline/")]
    idle = {dep for dep in sources if not any(file == dep or file.startswith(f"{dep}/") for file in needed)}
    assert idle == set()


@pytest.mark.parametrize("stage", STAGES)
def test_every_source_dependency_exists(stage: str) -> None:
    assert [dep for dep in STAGES[stage]["deps"] if dep.startswith("pipeline/") and not (ROOT / dep).exists()] == []


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stage_reads_is_made_by_another_one(stage: str) -> None:
    made = {next(iter(out)) if isinstance(out, dict) else out for other in STAGES.values() for out in outputs(other)}
    own = ("pipeline/", "params.yaml", FROM_THE_USER)
    read = [dep for dep in STAGES[stage]["deps"] if not dep.startswith(own)]
    related = ((dep, any(f"{out}/".startswith(f"{dep}/") or dep.startswith(f"{out}/") for out in made)) for dep in read)
    assert [dep for dep, known in related if not known] == []


def outputs(stage: dict[str, Any]) -> list[Any]:
    return [*stage.get("outs", []), *stage.get("metrics", [])]


@pytest.mark.parametrize("name", PARAMS)
@pytest.mark.parametrize("stage", STAGES)
def test_every_declared_setting_stands_in_every_profile(stage: str, name: str) -> None:
    for cell in cells(STAGES[stage], PARAMS[name]):
        for declared in STAGES[stage].get("params", []):
            section = PARAMS[name]
            for key in filled(declared, cell).split("."):
                assert key in section, f"{filled(declared, cell)} is not in {name}"
                section = section[key]


@pytest.mark.parametrize("name", PARAMS)
def test_the_cells_are_those_the_table_and_the_figures_read(name: str) -> None:
    params = PARAMS[name]
    pairs = {"train": "models", "extrapolate": "methods", "evaluate": "methods"}
    for stage, axis in pairs.items():
        found = {tuple(cell.values()) for cell in cells(STAGES[stage], params)}
        assert found == set(product(params["datasets"], params[axis]))
    assert {tuple(cell.values()) for cell in cells(STAGES["prepare"], params)} == {(d,) for d in params["datasets"]}


@pytest.mark.parametrize("stage", STAGES)
def test_the_command_names_the_stage_and_its_cell_and_nothing_of_the_machine(stage: str) -> None:
    axes = [f"${{item.{axis}}}" for axis in STAGES[stage].get("matrix", {})]
    assert STAGES[stage]["cmd"].split() == ["python", "-m", "pipeline", stage, *axes]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_its_module(stage: str) -> None:
    assert (ROOT / "pipeline" / "stages" / f"{stage}.py").is_file()


@pytest.mark.parametrize("file", EXEMPT)
def test_a_file_left_out_exists_and_is_no_dependency(file: str) -> None:
    assert (ROOT / file).is_file()
    assert [stage for stage in STAGES if file in STAGES[stage]["deps"]] == []


def test_mlflow_is_imported_by_tracking_alone() -> None:
    found = {path.name for path in (ROOT / "pipeline").rglob("*.py") if "mlflow" in roots(path)}
    assert found == {"tracking.py"}


def roots(path: Path) -> set[str]:
    """The packages that a file imports, anywhere in it."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    named = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.split(".")[0] for name in plain | named}

"""dvc.yaml: every stage reads what others make, waits for its code, and says no more than its cell."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from copy import deepcopy
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from pipeline.config.params import load, parse_whole
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.stages.code import Cells
from pipeline.tracking import record

ROOT = Path(__file__).parents[1]
DVC = (ROOT / "dvc.yaml").read_text()
STAGES: dict[str, dict[str, Any]] = YAML(typ="safe", pure=True).load(DVC)["stages"]
PARAMS = {
    path.name: YAML(typ="safe", pure=True).load(path.read_text())
    for path in (ROOT / "params.yaml", *sorted((ROOT / "profiles").glob("*.yaml")))
}


def cells(stage: dict[str, Any], params: dict[str, Any]) -> Iterator[dict[str, str]]:
    """The values of a stage's matrix, one dict per cell."""
    axes = {name: params[axis.strip("${}")] for name, axis in stage.get("matrix", {}).items()}
    for values in product(*axes.values()):
        yield {f"${{item.{name}}}": value for name, value in zip(axes, values, strict=True)}


def filled(text: str, cell: dict[str, str]) -> str:
    for name, value in cell.items():
        text = text.replace(name, value)
    return text


def outputs(stage: dict[str, Any]) -> list[str]:
    found = [*stage.get("outs", []), *stage.get("metrics", [])]
    return [next(iter(out)) if isinstance(out, dict) else out for out in found]


def within(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder}/")


def test_dvc_yaml_stays_short() -> None:
    assert len(DVC.splitlines()) <= 95


def test_the_stages_are_those_of_the_commands() -> None:
    assert tuple(STAGES) == record.STAGES


@pytest.mark.parametrize("stage", STAGES)
def test_what_a_stage_reads_is_made_by_another_one(stage: str) -> None:
    made = [out for name, other in STAGES.items() if name != stage for out in outputs(other)]
    sources = ("params.yaml", "manex", "pipeline", "data/own") if stage == "code" else ()
    read = [dep for dep in STAGES[stage]["deps"] if dep not in sources]
    related = {
        dep: any(f"{out}/".startswith(f"{dep}/") or f"{dep}/".startswith(f"{out}/") for out in made) for dep in read
    }
    assert [dep for dep, known in related.items() if not known] == []


@pytest.mark.parametrize("name", PARAMS)
@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "code"])
def test_every_cell_waits_for_a_file_of_its_code_that_is_written(stage: str, name: str) -> None:
    (dep,) = [dep for dep in STAGES[stage]["deps"] if dep.startswith("data/code/")]
    params = load(ROOT / "profiles" / name if name != "params.yaml" else ROOT / name)
    written = {f"data/code/{cell}.json" for cell, _ in Cells(params, Paths(ROOT)).all()}
    assert {filled(dep, cell) for cell in cells(STAGES[stage], PARAMS[name])} <= written


@pytest.mark.parametrize("name", PARAMS)
@pytest.mark.parametrize("stage", STAGES)
def test_every_declared_setting_is_in_every_profile(stage: str, name: str) -> None:
    for cell in cells(STAGES[stage], PARAMS[name]):
        for declared in STAGES[stage].get("params", []):
            section = PARAMS[name]
            for key in filled(declared, cell).split("."):
                assert key in section, f"{filled(declared, cell)} is not in {name}"
                section = section[key]


def declared(params: dict[str, Any]) -> set[str]:
    """Every key that DVC looks up in params.yaml: settings of cells, and what dvc.yaml is filled with."""
    found = {name.partition("}")[0] for name in DVC.split("${") if not name.startswith("item.")} - {DVC.split("${")[0]}
    for stage in STAGES.values():
        for cell in cells(stage, params):
            found |= {filled(key, cell) for key in stage.get("params", [])}
    return found


@pytest.mark.parametrize("key", sorted(declared(PARAMS["smoke.yaml"])))
def test_what_dvc_would_miss_is_missed_when_the_settings_are_checked(key: str) -> None:
    values = deepcopy(PARAMS["smoke.yaml"])
    section = values
    *parents, last = key.split(".")
    for parent in parents:
        section = section[parent]
    del section[last]
    with pytest.raises(UserError, match=re.escape(last)):
        parse_whole(values, "params.yaml")


@pytest.mark.parametrize("stage", STAGES)
def test_the_command_names_the_stage_and_its_cell_and_nothing_of_the_machine(stage: str) -> None:
    axes = [f"${{item.{axis}}}" for axis in STAGES[stage].get("matrix", {})]
    assert STAGES[stage]["cmd"].split() == ["python", "-m", "pipeline", stage, *axes]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_its_module(stage: str) -> None:
    assert (ROOT / "pipeline" / "stages" / f"{stage}.py").is_file()


def test_pictures_of_people_are_neither_in_git_nor_pushed() -> None:
    private = [out for stage in STAGES.values() for out in stage["outs"] if "private" in str(out)]
    assert private == [{"${reports}/private": {"push": False}}]


@pytest.mark.parametrize(
    "path", ["mlflow.db", "mlartifacts/1", "mlruns/1", "reports/private/a.gif", "reports/records/a"]
)
def test_git_ignores_what_is_of_this_machine_or_private(path: str, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_bytes((ROOT / ".gitignore").read_bytes())
    subprocess.run(["git", "-C", str(tmp_path), "check-ignore", "--quiet", path], check=True)

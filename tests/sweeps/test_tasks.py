from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from walkers import sweep

from pipeline.closure import SILENT
from pipeline.paths import Paths
from pipeline.sweeps.tasks import WORKER, Task, Walk, source
from pipeline.sweeps.work import attempt

ROOT = Path(__file__).parents[2]
WORK = """
import pickle, sys
from pathlib import Path
from pipeline.sweeps.work import attempt
outcome = attempt(pickle.load(sys.stdin.buffer))
assert outcome.result is not None, outcome.message
files = (Path(module.__file__) for module in list(sys.modules.values()) if getattr(module, "__file__", None))
print(*(file.relative_to(Path.cwd()) for file in files if file.is_relative_to(Path.cwd())))
"""
NO_PART = {"pipeline/__main__.py", "pipeline/sweeps/tasks.py", "pipeline/config/yaml.py"}
"""Decide what a task is called and what its record names, not what it computes."""


def walk_of(paths: Paths, method: str) -> Walk:
    job = sweep(paths, methods={method: {}})
    return job.plan.walk(job.plan.cells[0], None)


@pytest.fixture
def task(paths: Paths) -> Walk:
    return walk_of(paths, "linear")


def imported(task: Task) -> set[str]:
    """The project's files that a fresh process imports to do a task."""
    done = subprocess.run([sys.executable, "-c", WORK], input=pickle.dumps(task), capture_output=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    files = (file for file in done.stdout.decode().split() if file.startswith(("manex/", "pipeline/")))
    return {file for file in files if not file.endswith("__init__.py")}


def covered(task: Task) -> set[str]:
    return set(source().closure([WORKER, *task.modules]))


def test_the_code_version_covers_every_file_that_a_worker_imports(paths: Paths) -> None:
    (training,) = sweep(paths, methods={"linear": {}}, train_seeds=[7]).plan.trainings
    for task in (walk_of(paths, "tangent_flow"), walk_of(paths, "coloured"), training):
        assert imported(task) - covered(task) - SILENT.keys() - NO_PART == set()


def test_the_code_of_other_methods_is_no_part_of_a_cell(paths: Paths) -> None:
    flow, linear, still = (covered(walk_of(paths, name)) for name in ("tangent_flow", "linear", "persistence"))
    assert {"manex/extrapolators/tangent_flow.py", "manex/networks/resunet.py"} <= flow
    assert "manex/extrapolators/tangent_flow.py" not in linear | still
    assert "manex/networks/resunet.py" in linear - still


def test_a_key_depends_on_everything_the_result_does_and_on_nothing_else(task: Walk) -> None:
    others = [
        replace(task, seed=101),
        replace(task, threads=2),
        replace(task, frames="0"),
        replace(task, weights="0"),
        replace(task, code="0"),
        replace(task, entry=task.entry | {"eta": 2.0}),
    ]
    assert len({task.key, *(other.key for other in others)}) == 1 + len(others)
    elsewhere = replace(task, root=Path("/other"), home=Path("/other"), device="cpu")
    assert elsewhere.key == task.key


def test_the_place_of_a_method_in_the_table_is_no_part_of_its_key(task: Walk) -> None:
    assert replace(task, entry=task.entry | {"block": "rivals"}).key == task.key


def test_a_task_travels_as_plain_values(task: Walk) -> None:
    assert pickle.loads(pickle.dumps(task)).key == task.key

    def plain(value: Any) -> bool:
        if isinstance(value, dict | list | tuple):
            return all(map(plain, value.values() if isinstance(value, dict) else value))
        return value is None or isinstance(value, str | int | float | bool | Path)

    assert all(map(plain, vars(task).values()))


def test_a_worker_with_other_code_refuses(task: Walk) -> None:
    outcome = attempt(replace(task, code="other"))
    assert outcome.result is None
    assert "has other code" in outcome.message


def test_a_cell_has_the_same_bits_whatever_its_process_did_before(task: Walk) -> None:
    first = attempt(task)
    attempt(replace(task, seed=7))
    assert first.result is not None
    assert attempt(task).result == first.result


def test_a_bug_in_a_cell_is_reported_with_its_place(task: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("pipeline.sweeps.work.score", broken)
    outcome = attempt(task)
    assert outcome.result is None
    assert outcome.message.startswith("ZeroDivisionError: a bug (test_tasks.py:")

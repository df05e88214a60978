from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from test_closure import ROOT, closure
from walkers import sweep

from pipeline.paths import Paths
from pipeline.sweeps.tasks import SOURCES, Walk
from pipeline.sweeps.work import attempt

PLAIN = {"pipeline/sweeps/tasks.py"}
"""Decides what a task is called, not what it computes."""


@pytest.fixture
def task(paths: Paths) -> Walk:
    job = sweep(paths, methods={"linear": {}})
    return job.plan.walk(job.plan.cells[0], None)


def test_the_code_version_covers_every_file_that_a_worker_imports() -> None:
    needed = closure(ROOT / "pipeline" / "sweeps" / "work.py") - PLAIN
    covered = [f"pipeline/{name}" for name in SOURCES]
    assert {
        file for file in needed if not any(file == name or file.startswith(f"{name}/") for name in covered)
    } == set()
    idle = {name for name in covered if not any(file == name or file.startswith(f"{name}/") for file in needed)}
    assert idle == set()


def test_a_key_depends_on_everything_the_result_does_and_on_nothing_else(task: Walk) -> None:
    others = [
        replace(task, seed=101),
        replace(task, threads=2),
        replace(task, frames="0"),
        replace(task, weights="0"),
        replace(task, code="0"),
        replace(task, cfg=task.cfg.model_copy(update={"eta": 2.0})),
    ]
    assert len({task.key, *(other.key for other in others)}) == 1 + len(others)
    elsewhere = replace(task, root=Path("/other"), home=Path("/other"), device="cpu")
    assert elsewhere.key == task.key


def test_a_worker_with_other_code_refuses(task: Walk) -> None:
    outcome = attempt(replace(task, code="other"))
    assert outcome.result is None
    assert "has other code" in outcome.message


def test_a_cell_has_the_same_bits_whatever_its_process_did_before(task: Walk) -> None:
    first = attempt(task)
    attempt(replace(task, seed=7))
    assert first.result is not None
    assert attempt(task).result == first.result


def test_a_bug_in_a_cell_is_told_with_its_place(task: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("pipeline.sweeps.work.dtw_scores", broken)
    outcome = attempt(task)
    assert outcome.result is None
    assert outcome.message.startswith("ZeroDivisionError: a bug (test_tasks.py:")

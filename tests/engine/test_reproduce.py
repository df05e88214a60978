"""`manex reproduce` leaves what a serial `dvc repro` leaves, whatever happened on the way."""

from __future__ import annotations

from pathlib import Path

import pytest
import toy

from pipeline.engine.project import opened
from pipeline.engine.reproduce import reproduce
from pipeline.errors import UserError

CELLS = ["source", "part@b", "part@a", "part@c", "after@b", "after@a", "after@c", "joined"]


def test_a_run_leaves_the_bytes_of_a_serial_one(root: Path, serial: Path) -> None:
    toy.dvc(serial, "repro")
    result = reproduce(root)
    assert sorted(result.run) == sorted(CELLS)
    assert toy.state(root) == toy.state(serial)


def test_after_a_run_dvc_has_nothing_to_do(root: Path) -> None:
    reproduce(root)
    before = toy.state(root)
    assert "up to date" in toy.dvc(root, "status")
    assert "Running stage" not in toy.dvc(root, "repro")
    assert sorted(reproduce(root).unchanged) == sorted(CELLS)
    assert toy.state(root) == before


def test_after_a_serial_run_there_is_nothing_to_do(root: Path) -> None:
    toy.dvc(root, "repro")
    assert sorted(reproduce(root).unchanged) == sorted(CELLS)


def test_a_changed_setting_runs_what_depends_on_it(root: Path, serial: Path) -> None:
    for project in (root, serial):
        toy.dvc(project, "repro")
        (project / "params.yaml").write_text(toy.PARAMS.replace("a: 1", "a: 7"))
    toy.dvc(serial, "repro")
    assert sorted(reproduce(root).run) == ["after@a", "joined", "part@a"]
    assert toy.state(root) == toy.state(serial)


def test_new_cells_come_into_the_lock_where_a_serial_run_puts_them(root: Path, serial: Path) -> None:
    for project in (root, serial):
        toy.dvc(project, "repro", "after@c")
    toy.dvc(serial, "repro")
    reproduce(root)
    assert toy.state(root) == toy.state(serial)


def test_targets_are_those_of_dvc(root: Path, serial: Path) -> None:
    toy.dvc(serial, "repro", "after@a", "part@c")
    assert sorted(reproduce(root, ["after@a", "part@c"]).run) == ["after@a", "part@a", "part@c", "source"]
    assert toy.state(root) == toy.state(serial)


def test_an_unknown_target_is_named(root: Path) -> None:
    with pytest.raises(UserError, match="prat"):
        reproduce(root, ["prat"])


def test_outputs_that_were_made_before_come_from_the_run_cache(root: Path) -> None:
    reproduce(root)
    before = toy.state(root)
    (root / "params.yaml").write_text(toy.PARAMS.replace("a: 1", "a: 7"))
    reproduce(root)
    (root / "params.yaml").write_text(toy.PARAMS)
    ran = toy.runs(root)
    result = reproduce(root)
    assert sorted(result.restored) == ["after@a", "part@a"]
    assert result.run == ["joined"]  # DVC keeps no outputs of stages with uncached ones
    assert toy.runs(root) == ran
    assert toy.state(root) == before


def test_a_missing_output_comes_from_the_cache(root: Path) -> None:
    reproduce(root)
    before = toy.state(root)
    (root / "parts" / "a" / "text").unlink()
    assert reproduce(root).restored == ["part@a"]
    assert toy.state(root) == before


def test_a_frozen_stage_is_left_alone(root: Path, serial: Path) -> None:
    for project in (root, serial):
        toy.dvc(project, "repro")
        toy.dvc(project, "freeze", "joined")
        (project / "params.yaml").write_text(toy.PARAMS.replace("a: 1", "a: 7"))
    toy.dvc(serial, "repro")
    assert sorted(reproduce(root).run) == ["after@a", "part@a"]
    assert toy.state(root) == toy.state(serial)


def test_a_failing_cell_stops_only_what_depends_on_it(root: Path) -> None:
    (root / "fail-a").touch()
    result = reproduce(root)
    assert result.failed == {"part@a": "part a: this cannot be (exit code 3; reports/records/logs/part@a.log)"}
    assert result.skipped == {"after@a": "part@a", "joined": "part@a"}
    assert sorted(result.run) == ["after@b", "after@c", "part@b", "part@c", "source"]


def test_the_run_after_a_failure_does_the_rest_and_leaves_the_bytes_of_a_serial_one(root: Path, serial: Path) -> None:
    toy.dvc(serial, "repro")
    (root / "fail-a").touch()
    reproduce(root)
    (root / "fail-a").unlink()
    assert sorted(reproduce(root).run) == ["after@a", "joined", "part@a"]
    assert toy.state(root) == toy.state(serial)


def test_an_output_that_is_not_made_fails_its_cell(root: Path) -> None:
    (root / "dvc.yaml").write_text(toy.DVC.replace("cp seed.txt source.txt", "cp seed.txt elsewhere.txt"))
    result = reproduce(root)
    assert "source.txt" in result.failed["source"]
    assert len(result.skipped) == len(CELLS) - 1


def test_a_project_that_is_held_says_by_whom(root: Path) -> None:
    with opened(root, [], {}):
        code, said = toy.ended(toy.start(root, "reproduce"))
    assert code == 1
    assert said.startswith(f"manex: process {toy.os.getpid()} (")
    assert "holds this project" in said
    assert "Traceback" not in said


def test_outside_a_project_there_is_one_line(tmp_path: Path) -> None:
    code, said = toy.ended(toy.start(tmp_path, "reproduce"))
    assert (code, len(said.splitlines())) == (1, 1)


def test_the_command_names_failed_cells_and_ends_with_1(root: Path) -> None:
    (root / "fail-a").touch()
    code, said = toy.ended(toy.start(root, "reproduce"))
    assert code == 1
    assert "manex: failed: part@a: part a: this cannot be" in said
    assert "not run for that: after@a, joined" in said or "not run for that: joined, after@a" in said

"""Measurements as settings name them, in the library and in params.yaml."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from manex.analyses.restoration import Restoration
from manex.measurements.blocks import Blocks, blocks
from pipeline.config.analyses import AnalysisEntry
from pipeline.config.entries import parse_entry
from pipeline.errors import UserError

TASKS = {"large": {"kind": "blocks", "size": 4}, "some": {"kind": "pixels", "share": 0.3, "seed": 2}}


def test_a_section_becomes_the_settings_of_its_kind_and_back() -> None:
    cfg = Restoration.model_validate({"tasks": TASKS})
    assert cfg.tasks["large"] == Blocks(size=4)
    assert cfg.model_dump()["tasks"] == TASKS
    assert Restoration.model_validate(cfg.model_dump()) == cfg


def test_settings_make_the_measurement_that_their_file_makes() -> None:
    shape = (1, 8, 8)
    assert (Blocks(size=2).of(shape).rows == blocks(Blocks(size=2), shape).rows).all()


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"kind": "block"}, 'kind: "block" is unknown; known: blocks, blur, hole'),
        ({"kind": "base"}, "is unknown"),
        ({"kind": "blocks", "size": 1}, "size: Input should be greater than or equal to 2"),
        ({"kind": "blocks", "side": 2}, "side: Extra inputs are not permitted"),
        ("blocks", "a section with kind: NAME is needed"),
    ],
)
def test_a_task_that_does_not_fit_is_told_with_its_name(task: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Restoration.model_validate({"tasks": {"one": task}})
    entry = {"kind": "restoration", "walks": ["tangent_flow"], "tasks": {"one": task}}
    with pytest.raises(UserError, match=rf"^analyse.digits.restoration.tasks.one: .*{said}"):
        parse_entry(AnalysisEntry, entry, "analyse.digits.restoration")


def test_noise_levels_are_written_in_255ths_and_tasks_stay_as_they_are() -> None:
    entry = {"kind": "restoration", "walks": ["tangent_flow"], "tasks": TASKS, "sigma_255": 25.5}
    parsed = parse_entry(AnalysisEntry, entry, "analyse.digits.restoration")
    assert isinstance(parsed, AnalysisEntry)
    cfg = parsed.settings
    assert isinstance(cfg, Restoration)
    assert cfg.sigma == pytest.approx(0.1)
    assert cfg.tasks["large"] == Blocks(size=4)
    assert parsed.model_dump(mode="json")["tasks"] == TASKS

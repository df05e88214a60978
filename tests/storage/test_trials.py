"""Extrapolated videos: what a walk wrote reads back, what cannot be trials is refused with the command."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.storage.artifacts import write_tensors
from pipeline.storage.trials import load_trials

FRAMES = torch.linspace(0, 1, 2 * 3 * 5 * 4).reshape(2, 3, 5, 1, 2, 2)
GOOD = {
    "frames": FRAMES,
    "seeds": torch.tensor([7, 9]),
    "headings": torch.ones(2, 3, 3, 1, 2, 2),
    "record.products": torch.ones(2, 3, 3),
}


def written(root: Path, tensors: dict[str, Tensor]) -> Paths:
    paths = Paths(root)
    write_tensors(paths.extrapolated("d", "m") / "trials.safetensors", tensors)
    return paths


def test_trials_read_back_with_their_seeds_and_records(tmp_path: Path) -> None:
    trials = load_trials("d", "m", written(tmp_path, GOOD))
    assert torch.equal(trials.frames, FRAMES)
    assert trials.seeds == [7, 9]
    assert trials.headings is not None
    assert list(trials.record) == ["products"]


def test_a_method_without_headings_has_none(tmp_path: Path) -> None:
    trials = load_trials("d", "m", written(tmp_path, {name: GOOD[name] for name in ("frames", "seeds")}))
    assert trials.headings is None
    assert trials.record == {}


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("frames", FRAMES[0], "not trials of videos"),
        ("frames", FRAMES.double(), "not trials of videos"),
        ("frames", FRAMES + 0.1, r"grey levels outside \[0, 1\]"),
        ("frames", FRAMES * torch.nan, r"grey levels outside \[0, 1\]"),
        ("seeds", torch.tensor([7]), "not as many seeds"),
        ("headings", torch.ones(2, 3, 5, 1, 2, 2), "headings do not go with the frames"),
        ("record.products", torch.ones(2, 3), "records do not go with the frames"),
    ],
)
def test_what_cannot_be_trials_is_refused_with_the_command(name: str, value: Tensor, said: str, tmp_path: Path) -> None:
    paths = written(tmp_path, {**GOOD, name: value})
    with pytest.raises(UserError, match=rf"damaged \(.*{said}.*make it again with: manex extrapolate d m"):
        load_trials("d", "m", paths)

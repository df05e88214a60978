from __future__ import annotations

from typing import Any

import pytest
import torch
from families import BASE, FAMILY, entry, params, small_dataset

from manex.datasets.dataset import Dataset
from manex.denoisers.permuted import pixel_order, shuffled
from manex.training.family import Subset
from pipeline.config.entries import Skipped, parse_entry
from pipeline.config.training import TrainingEntry
from pipeline.errors import UserError


@pytest.fixture
def dataset() -> Dataset:
    return small_dataset()


def test_the_halves_are_disjoint_and_make_the_whole() -> None:
    clip = torch.zeros(11, dtype=torch.int64)
    first, second = (Subset(part=part).numbers(clip) for part in ("first", "second"))
    assert torch.equal(torch.cat([first, second]), torch.arange(11))
    assert torch.equal(Subset().numbers(clip), torch.arange(11))
    assert torch.equal(Subset(part="second", count=2).numbers(clip), second[:2])


def test_frames_are_kept_of_each_video_evenly_and_of_the_first_videos() -> None:
    clip = torch.tensor([0] * 9 + [1] * 3 + [2] * 5)
    assert Subset(per_video=3).numbers(clip).tolist() == [0, 4, 8, 9, 10, 11, 12, 14, 16]
    assert Subset(videos=1, per_video=5).numbers(clip).tolist() == [0, 2, 4, 6, 8]
    assert Subset(videos=2).numbers(clip).tolist() == list(range(12))
    assert Subset(per_video=4, videos=2).numbers(clip).tolist() == [0, 3, 5, 8, 9, 10, 11]  # the second has three


def test_held_out_frames_are_in_no_part(dataset: Dataset) -> None:
    for part in ("all", "first", "second"):
        frames, held_out = Subset(part=part).frames(dataset)
        assert torch.equal(held_out, dataset.held_out_frames)
        assert (frames.flatten(1)[:, None] - held_out.flatten(1)).abs().amax(2).min() > 0


def test_a_shuffle_moves_the_pixels_of_all_frames_alike(dataset: Dataset) -> None:
    frames, held_out = Subset(shuffle=3).frames(dataset)
    order = pixel_order(3, 64)
    assert torch.equal(frames, shuffled(dataset.training_frames, order))
    assert torch.equal(held_out, shuffled(dataset.held_out_frames, order))


@pytest.mark.parametrize("subset", [Subset(count=99), Subset(part="first", count=11)])
def test_more_frames_than_there_are_is_an_error(subset: Subset, dataset: Dataset) -> None:
    with pytest.raises(ValueError, match="count: "):
        subset.frames(dataset)


def test_the_base_is_an_entry_in_the_files_units() -> None:
    made = entry(base={**BASE, "sigma_max_255": 51})
    base = made.parts["n3_a"][0]
    assert base.settings.model_dump()["sigma_max"] == pytest.approx(0.2)
    assert made.model_dump(mode="json")["base"]["sigma_max_255"] == 51
    assert parse_entry(TrainingEntry, made.model_dump(mode="json"), "x") == made
    assert made.names("halves") == ["halves/n3_a", "halves/n3_b", "halves/shuffled"]


def test_a_member_has_the_steps_of_the_base_unless_it_has_its_own() -> None:
    assert [own.settings.steps for own, _ in entry().parts.values()] == [6, 4, 6]


def test_one_network_has_no_parts() -> None:
    made = parse_entry(TrainingEntry, BASE, "x")
    assert isinstance(made, TrainingEntry)
    assert made.parts == {}
    assert made.names("resunet") == ["resunet"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"base": {**BASE, "width": 3}}, "train.some.halves.base: width: unknown"),
        ({"base": {"network": "mcvd", "steps": 1, "learning_rate": 1}}, "shuffled frames, not on ordered clips"),
        ({"base": FAMILY}, "family cannot be within another entry"),
        ({"base": {"network": "skipped", "reason": "no"}}, "skipped cannot be within another entry"),
        ({"base": {"network": "resnet"}}, '"resnet" is unknown'),
        ({"base": {**BASE, "noise": {"kind": "free_field", "gamma": 1}}}, "white noise"),
        ({"base": {"network": "vae", "steps": 1}}, "a denoiser of white noise"),
        ({"members": {}}, "train.some.halves.members"),
        ({"members": {"A": {}}}, "train.some.halves.members"),
        ({"members": {"a": {"part": "third"}}}, "train.some.halves.members.a.part"),
    ],
)
def test_what_makes_no_family_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        entry(**changes)
    assert said in str(caught.value)


def test_a_walk_must_name_a_member_that_is_there() -> None:
    assert params().method("some", "walk").model_name == "halves/n3_a"  # type: ignore[union-attr]
    with pytest.raises(UserError, match='denoiser: "halves/n9" is not defined under models'):
        params("halves/n9").method("some", "walk")
    with pytest.raises(UserError, match='denoiser: "halves" is not defined under models'):
        params("halves").method("some", "walk")


def test_a_family_that_is_skipped_has_all_members_skipped() -> None:
    skipped = params(network="skipped", reason="too slow")
    assert skipped.method("some", "walk").model_name == "halves/n3_a"  # type: ignore[union-attr]
    assert isinstance(skipped.training("some", "halves"), Skipped)

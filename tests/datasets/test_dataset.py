from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from manex.datasets.dataset import Dataset
from manex.datasets.manifold import LatentManifold
from manex.datasets.videos import ClipVideos, LatentVideos

CLIPS = st.lists(st.integers(1, 6), min_size=1, max_size=5)


def numbered(*lengths: int, held_out: tuple[int, ...] = ()) -> Dataset:
    """Stills of one pixel: the grey level of each is its number among all, in thousandths."""
    values = torch.arange(sum(lengths)).float().reshape(-1, 1, 1, 1) / 1000
    clip = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    return Dataset(torch.empty(0, 3, 1, 1, 1), values, clip, torch.tensor(held_out, dtype=torch.int64))


def numbers(frames: Tensor) -> list[int]:
    return (1000 * frames.flatten()).round().int().tolist()


def latent(videos: int = 2, frames: int = 8, **changes: Any) -> LatentVideos:
    """Videos of random images; their coordinates run from 0 to the number of frames."""
    drawn = np.random.default_rng(0).random((videos, frames, 1, 4, 4), np.float32)
    coordinates = np.arange(frames, dtype=np.float64)
    known: dict[str, Any] = {"videos": drawn, "coordinates": coordinates, "dense": drawn}
    return LatentVideos(**{**known, "dense_coordinates": coordinates, "unit": "steps", "period": None, **changes})


@given(CLIPS, st.data())
def test_training_and_held_out_frames_are_all_frames_each_once(lengths: list[int], data: st.DataObject) -> None:
    count = sum(lengths)
    out = data.draw(st.sets(st.integers(0, count - 1), max_size=count - 1))
    dataset = numbered(*lengths, held_out=tuple(sorted(out)))
    assert numbers(dataset.held_out_frames) == sorted(out)
    assert numbers(dataset.training_frames) == [n for n in range(count) if n not in out]


@given(CLIPS, st.data())
def test_the_order_leads_to_every_frame_of_every_clip(lengths: list[int], data: st.DataObject) -> None:
    """Rows from 0 on are those of the training frames, rows below 0 those of the held-out ones."""
    count = sum(lengths)
    out = data.draw(st.sets(st.integers(0, count - 1), max_size=count - 1))
    dataset = numbered(*lengths, held_out=tuple(sorted(out)))
    rows, present = dataset.order
    assert present.sum(1).tolist() == lengths
    assert rows.shape == present.shape == (len(lengths), max(lengths))
    seen, hidden = numbers(dataset.training_frames), numbers(dataset.held_out_frames)
    found = [seen[row] if row >= 0 else hidden[-1 - row] for row in rows[present].tolist()]
    assert found == list(range(count))


def test_the_order_of_clips_of_three_and_one_and_two_frames_written_out() -> None:
    rows, present = numbered(3, 1, 2, held_out=(1, 5)).order
    assert present.tolist() == [[True, True, True], [True, False, False], [True, True, False]]
    assert rows[0].tolist() == [0, -1, 1]
    assert rows[1, 0].item() == 2
    assert rows[2, :2].tolist() == [3, -2]


def test_without_held_out_frames_all_are_trained_on() -> None:
    dataset = Dataset.of(latent(), held_out=0)
    assert len(dataset.held_out_frames) == 0
    assert torch.equal(dataset.training_frames, dataset.videos.flatten(0, 1))
    assert dataset.order[0].tolist() == [list(range(8)), list(range(8, 16))]


def test_stills_have_no_video_and_every_frame_is_a_clip() -> None:
    dataset = numbered(1, 1, 1)
    assert len(dataset.videos) == 0
    assert dataset.shape == {"channels": 1, "size": 1}
    assert dataset.order[0].tolist() == [[0], [1], [2]]
    with pytest.raises(ValueError, match="no true manifold is known"):
        _ = dataset.dense


def test_latent_videos_bring_their_manifolds() -> None:
    made = latent()
    dataset = Dataset.of(made, held_out=3, seed=1)
    assert dataset.unit == "steps"
    assert dataset.coordinates is not None
    np.testing.assert_array_equal(dataset.coordinates.numpy(), made.coordinates)
    for manifold, frames in zip(dataset.manifolds, made.dense, strict=True):
        np.testing.assert_array_equal(manifold.frames.numpy(), frames)
    assert torch.equal(dataset.dense, torch.from_numpy(made.dense).flatten(0, 1))
    assert len(dataset.held_out) == 3


def test_other_videos_take_the_place_of_the_videos_in_training() -> None:
    others = np.random.default_rng(1).random((3, 5, 1, 4, 4), np.float32)
    dataset = Dataset.of(latent(others=others), held_out=2)
    assert torch.equal(dataset.frames, torch.from_numpy(others).flatten(0, 1))
    assert torch.bincount(dataset.clip).tolist() == [5, 5, 5]


def test_given_frames_of_clips_are_never_held_out() -> None:
    frames = np.random.default_rng(0).random((6, 1, 4, 4), np.float32)
    made = ClipVideos(frames[None, :3], frames, np.zeros(6, np.int64), given=np.array([0, 1]))
    assert Dataset.of(made, held_out=4).held_out.tolist() == [2, 3, 4, 5]
    with pytest.raises(ValueError, match="held_out: 5 of 6"):
        Dataset.of(made, held_out=5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"videos": torch.rand(2, 8, 1, 4, 5)}, "not .video, frame, channel, size, size"),
        ({"videos": torch.rand(2, 2, 1, 4, 4)}, "not .video, frame, channel, size, size"),
        ({"videos": torch.rand(2, 8, 4, 4)}, "not .video, frame, channel, size, size"),
        ({"frames": torch.rand(16, 3, 4, 4)}, r"frames are torch.float32 \(3, 4, 4\), not \(1, 4, 4\)"),
        ({"frames": torch.rand(16, 1, 4, 4).double()}, "frames are torch.float64"),
        ({"frames": torch.rand(16, 1, 4, 4) + 0.5}, "grey levels outside"),
        ({"held_out": torch.tensor([16])}, "not of the 16 there are"),
        ({"held_out": torch.tensor([-1])}, "not of the 16 there are"),
        ({"held_out": torch.tensor([3, 3])}, "not of the 16 there are"),
        ({"held_out": torch.arange(16)}, "no numbers of frames"),
        ({"held_out": torch.tensor([0.0])}, "no numbers of frames"),
        ({"clip": torch.zeros(15, dtype=torch.int64)}, "no numbers in order"),
        ({"clip": torch.ones(16, dtype=torch.int64)}, "no numbers in order"),
        ({"clip": torch.arange(16).flip(0)}, "no numbers in order"),
        ({"clip": 2 * torch.arange(16)}, "leave out a number"),
        ({"coordinates": torch.arange(7.0)}, "do not go with the videos"),
        ({"manifolds": ()}, "do not go with the videos"),
        ({"manifolds": (LatentManifold(torch.rand(2, 1, 5, 5), torch.arange(2.0)),) * 2}, r"\(1, 5, 5\)"),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replace(Dataset.of(latent(), held_out=2), **changes)

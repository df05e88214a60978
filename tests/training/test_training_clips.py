from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from manex.datasets.dataset import Order
from manex.training.clips import GIVEN, Clips

VIDEOS, FRAMES = 3, 12


def order_of(out: set[int]) -> Order:
    """Row numbers as `Dataset.order` gives them, counted by hand."""
    rows, kept, left = [], 0, 0
    for number in range(VIDEOS * FRAMES):
        rows.append(-1 - left if number in out else kept)
        kept, left = kept + (number not in out), left + (number in out)
    return torch.tensor(rows).reshape(VIDEOS, FRAMES), torch.ones(VIDEOS, FRAMES, dtype=torch.bool)


def numbers(clips: Clips, out: set[int]) -> Tensor:
    """Which frame of all each entry of some clips is; -1 where there is none."""
    kept = torch.tensor([n for n in range(VIDEOS * FRAMES) if n not in out])
    left = torch.tensor(sorted(out) or [0])
    found = torch.full_like(clips.rows, -1)
    found[clips.seen] = kept[clips.rows[clips.seen]]
    found[clips.held_out] = left[-1 - clips.rows[clips.held_out]]
    return found


HELD_OUT = st.sets(st.integers(0, VIDEOS * FRAMES - 1), max_size=12)


@given(HELD_OUT, st.integers(3, 8), st.integers(0, 5))
def test_a_clip_is_a_stretch_of_one_video_and_what_is_seen_of_it_is_never_held_out(
    out: set[int], least: int, more: int
) -> None:
    clips = Clips.of(order_of(out), least + more, least)
    found = numbers(clips, out)
    assert not set(found[clips.seen].tolist()) & out
    assert set(found[clips.held_out].tolist()) <= out
    for row, present in zip(found.tolist(), clips.present.tolist(), strict=True):
        start, end = row[0], sum(present)
        assert row[:end] == list(range(start, start + end))
        assert start // FRAMES == (start + end - 1) // FRAMES
        assert end == min(least + more, FRAMES - start % FRAMES) >= least
        assert not set(row[:GIVEN]) & out


@given(HELD_OUT, st.integers(3, 8))
def test_every_stretch_that_begins_with_two_training_frames_is_a_clip(out: set[int], length: int) -> None:
    starts = numbers(Clips.of(order_of(out), length, length), out)[:, 0].tolist()
    expected = [n for n in range(VIDEOS * FRAMES) if n % FRAMES <= FRAMES - length and not {n, n + 1} & out]
    assert starts == expected


def test_frames_without_a_pair_in_a_row_are_refused() -> None:
    with pytest.raises(ValueError, match="no 3 frames in a row begin with 2 that are not held out"):
        Clips.of(order_of(set(range(0, VIDEOS * FRAMES, 2))), 3, 3)

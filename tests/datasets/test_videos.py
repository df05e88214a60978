from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manex.datasets.dataset import held_out_frames
from manex.datasets.videos import clip_videos


def numbered(*lengths: int) -> list[np.ndarray]:
    """Clips of one pixel, each frame holding its number among all."""
    values = np.arange(sum(lengths), dtype=np.float32)
    return [part[:, None, None, None] for part in np.split(values, np.cumsum(lengths)[:-1])]


@settings(max_examples=50)
@given(st.integers(1, 300), st.floats(0, 1, exclude_max=True), st.integers(0, 2**32))
def test_as_many_frames_are_held_out_as_asked_each_once(frames: int, share: float, seed: int) -> None:
    count = int(share * frames)
    chosen = held_out_frames(frames, count, seed)
    assert len(set(chosen.tolist())) == len(chosen) == count
    assert set(chosen.tolist()) <= set(range(frames))


def test_the_seed_decides_which_frames_are_held_out() -> None:
    assert np.array_equal(held_out_frames(1000, 200, 3), held_out_frames(1000, 200, 3))
    assert not np.array_equal(held_out_frames(1000, 200, 3), held_out_frames(1000, 200, 4))


@pytest.mark.parametrize("count", [40, 41])
def test_nothing_left_to_train_on_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="leave none to train on"):
        held_out_frames(40, count, 0)


def test_a_given_frame_is_never_held_out() -> None:
    assert held_out_frames(10, 7, 0, np.array([2, 3, 9])).tolist() == [0, 1, 4, 5, 6, 7, 8]
    with pytest.raises(ValueError, match="held_out: 8 of 10"):
        held_out_frames(10, 8, 0, np.array([2, 3, 9]))


@settings(max_examples=50)
@given(st.integers(3, 6), st.integers(1, 4), st.integers(0, 2**32), st.lists(st.integers(0, 9), min_size=1, max_size=4))
def test_a_video_is_a_run_of_its_clip_at_the_stride(length: int, stride: int, seed: int, spare: list[int]) -> None:
    span = (length - 1) * stride
    clips = numbered(*(span + 1 + more for more in spare))
    made = clip_videos(clips, range(len(clips)), length, stride, seed)
    for clip, video in zip(clips, made.videos[..., 0, 0, 0], strict=True):
        assert np.all(np.diff(video) == stride)
        assert clip.min() <= video[0]
        assert video[-1] <= clip.max()
    assert made.frames.ravel().tolist() == list(range(len(made.frames)))
    assert made.given.tolist() == made.videos[:, :2].ravel().astype(int).tolist()


def test_starts_are_spread_over_the_whole_clip() -> None:
    starts = {float(clip_videos(numbered(12), [0], 5, 2, seed).videos[0, 0, 0, 0, 0]) for seed in range(60)}
    assert starts == {0, 1, 2, 3}


def test_another_clip_at_the_end_does_not_change_the_videos_before_it() -> None:
    few, more = (clip_videos(numbered(*[30] * n), range(n), 5, 1, 0) for n in (2, 3))
    np.testing.assert_array_equal(few.videos, more.videos[:2])


def test_a_clip_too_short_for_a_video_is_reported_with_what_it_needs() -> None:
    with pytest.raises(ValueError, match="clip 1 has 8 frames; 5 frames need 9"):
        clip_videos(numbered(9, 8), [0, 1], 5, 2, 0)

"""What a dataset gives to `prepare`: videos, and either their true manifold or more frames to train on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LatentVideos:
    """Videos whose latent coordinate is known; their frames are also what is trained on, unless there are `others`.

    Attributes:
        videos: (video, frame, channel, height, width), grey levels in [0, 1].
        coordinates: (frame,) latent coordinate, in `unit`.
        dense, dense_coordinates: the same on a fine grid, which stands for the continuous manifold.
        period: after which the latent closes on itself; None: a segment.
        others: (n, channel, height, width), frames of other videos, to be trained on instead.
    """

    videos: NDArray[np.float32]
    coordinates: NDArray[np.float64]
    dense: NDArray[np.float32]
    dense_coordinates: NDArray[np.float64]
    unit: str
    period: float | None
    others: NDArray[np.float32] | None = None

    @property
    def frames(self) -> NDArray[np.float32]:
        """(n, channel, height, width), the others, or every frame of every video, in order."""
        return self.others if self.others is not None else self.videos.reshape(-1, *self.videos.shape[2:])

    @property
    def given(self) -> NDArray[np.int64]:
        """No frame is kept from the held-out draw: with the whole manifold to walk, it is as the paper's."""
        return np.empty(0, np.int64)


@dataclass(frozen=True)
class ClipVideos:
    """Short videos taken from longer clips, of which nothing but the frames is known.

    Attributes:
        videos: (video, frame, channel, height, width), grey levels in [0, 1]; the first two frames are given.
        frames: (n, channel, height, width), every frame of every clip: what is trained on.
        given: numbers, into `frames`, of the two given frames of every video.
    """

    videos: NDArray[np.float32]
    frames: NDArray[np.float32]
    given: NDArray[np.int64]


def clip_videos(
    clips: Sequence[NDArray[np.float32]], chosen: Sequence[int], length: int, stride: int, seed: int
) -> ClipVideos:
    """One video of `length` frames, `stride` apart, from each chosen clip; its start is drawn uniformly.

    The draw of a video depends on `seed` and its place in `chosen` alone.

    Args:
        clips: each (frame, channel, height, width).
        chosen: which clips give a video; all of them give frames.

    Raises:
        ValueError: a chosen clip is too short.
    """
    starts = np.cumsum([0, *(len(clip) for clip in clips)])
    videos, given = [], []
    for place, index in enumerate(chosen):
        span = (length - 1) * stride
        if len(clips[index]) <= span:
            raise ValueError(f"clip {index} has {len(clips[index])} frames; {length} frames need {span + 1}")
        start = int(np.random.default_rng([seed, place]).integers(len(clips[index]) - span))
        videos.append(clips[index][start : start + span + 1 : stride])
        given += [starts[index] + start, starts[index] + start + stride]
    return ClipVideos(np.stack(videos), np.concatenate(clips), np.array(given, np.int64))


def held_out_frames(frames: int, held_out: int, seed: int, given: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """Which of `frames` frames never reach training: a seeded draw among all but the given ones, sorted.

    Raises:
        ValueError: fewer than one frame would be left to train on.
    """
    drawn = np.random.default_rng(seed).permutation(frames)
    if given is not None:
        drawn = drawn[~np.isin(drawn, given)]
    if held_out >= frames or held_out > len(drawn):
        raise ValueError(f"held_out: {held_out} of {frames} frames leave none to train on")
    return np.sort(drawn[:held_out])

"""What a dataset kind makes: videos, and either their true manifold or more frames to train on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class LatentVideos:
    """Videos whose latent coordinate is known; training uses their frames, unless there are `others`.

    Attributes:
        videos: (video, frame, channel, height, width), grey levels in [0, 1].
        coordinates: (frame,) latent coordinate, in `unit`.
        dense, dense_coordinates: the same on a fine grid, which represents the continuous manifold.
        period: after which the latent closes on itself; None: a segment.
        others: frames of other videos (video, frame, channel, height, width), to train on instead.
        note: what a reader of the results should know about the data; "" if nothing.

    Example:
        >>> import numpy as np
        >>> from manex import LatentVideos
        >>> videos, shifts = np.zeros((2, 5, 1, 8, 8), np.float32), np.arange(5.0)
        >>> made = LatentVideos(videos, shifts, videos, shifts, unit="pixels", period=None)
        >>> made.frames.shape
        (10, 1, 8, 8)
    """

    videos: NDArray[np.float32]
    coordinates: NDArray[np.float64]
    dense: NDArray[np.float32]
    dense_coordinates: NDArray[np.float64]
    unit: str
    period: float | None
    others: NDArray[np.float32] | None = None
    note: str = ""

    @property
    def frames(self) -> NDArray[np.float32]:
        """(n, channel, height, width), every frame of the others, or of every video, in order."""
        source = self.videos if self.others is None else self.others
        return source.reshape(-1, *source.shape[2:])

    @property
    def clip(self) -> NDArray[np.int64]:
        """(n,) the video that each of `frames` belongs to."""
        source = self.videos if self.others is None else self.others
        return np.repeat(np.arange(source.shape[0]), source.shape[1])

    @property
    def given(self) -> NDArray[np.int64]:
        """No given frames to protect: as in the paper, any frame may be held out."""
        return np.empty(0, np.int64)

    @property
    def unseen(self) -> bool:
        """Whether the videos' frames are not trained on."""
        return self.others is not None


@dataclass(frozen=True)
class ClipVideos:
    """Short videos taken from longer clips, of which nothing but the frames is known.

    Attributes:
        videos: (video, frame, channel, height, width), grey levels in [0, 1]; the first two frames are given.
        frames: (n, channel, height, width), every frame of every clip, in order: what is trained on.
        clip: (n,) the clip that each of `frames` belongs to.
        given: numbers, into `frames`, of the two given frames of every video; none if the videos are not trained on.
        note: what a reader of the results should know about the data; "" if nothing.
        names: of the videos, which are those of their clips; empty if they have none.
    """

    videos: NDArray[np.float32]
    frames: NDArray[np.float32]
    clip: NDArray[np.int64]
    given: NDArray[np.int64]
    note: str = ""
    names: tuple[str, ...] = ()

    @property
    def unseen(self) -> bool:
        """Whether the videos' frames are not trained on."""
        return not len(self.given)


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
    clip = np.repeat(np.arange(len(clips)), [len(one) for one in clips])
    return ClipVideos(np.stack(videos), np.concatenate(clips), clip, np.array(given, np.int64))

"""The user's clips: folders of pictures, or video files; one video each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field

from manex.datasets.base import Clips, Raw
from manex.datasets.pictures import Frames as Clip
from manex.datasets.videos import ClipVideos, clip_videos

STILL = 0.01
"""A first step shorter than this share of the clip's median step gives no direction to walk in."""


class Frames(Clips):
    """The user's clips: folders of pictures, or video files; one video each."""

    source: ClassVar[Raw | None] = "frames"

    path: Path = Field(description="a folder of clips, or one clip; relative to the project's root")
    ground: int = Field(0, ge=0, le=255, description="grey level behind transparent pixels")
    bits: int | None = Field(
        None, ge=9, le=16, description="of a level in files of 16 bits, such as 12; 16 if not given"
    )
    unseen: int = Field(0, ge=0, description="the last clips, which alone give videos and are not trained on")


@dataclass(frozen=True)
class NamedClips:
    """Clips by name, in their order, and a description in words."""

    clips: Mapping[str, Clip]
    what: str


def frames(cfg: Frames, raw: NamedClips) -> ClipVideos:
    """One video from each clip, in their order; the frames of all clips to train on.

    With `unseen` the last clips give the videos, and the others the frames to train on.

    Raises:
        ValueError: a clip is shorter than the video, stands still, or does so at the first step of its video; or none
            is left to train on.
    """
    known, shown = list(raw.clips.values()), dict(raw.clips)
    if cfg.unseen:
        known, shown = known[: -cfg.unseen], dict(list(raw.clips.items())[-cfg.unseen :])
    if not known:
        raise ValueError(f"unseen: {cfg.unseen} of {len(raw.clips)} clips leave none to train on; take fewer")
    clips = list(shown.values())
    made = clip_videos(clips, range(len(clips)), cfg.frames, cfg.stride, cfg.seed)
    for name, clip, start in zip(shown, clips, made.given[::2] - _starts(clips), strict=True):
        _check_motion(name, clip, int(start), cfg.stride)
    made = replace(made, note=f"{len(clips)} {raw.what}, {len(made.frames)} frames", names=tuple(shown))
    return _trained_on(made, known, raw.what) if cfg.unseen else made


def _trained_on(made: ClipVideos, known: list[Clip], what: str) -> ClipVideos:
    """The same videos, and other clips to train on."""
    return replace(
        made,
        frames=np.concatenate(known),
        clip=np.repeat(np.arange(len(known)), [len(one) for one in known]),
        given=np.empty(0, np.int64),
        note=f"trained on {len(known)} {what}; those of the videos, {len(made.videos)}, were never seen",
    )


def _starts(clips: list[Clip]) -> np.ndarray:
    return np.cumsum([0, *(len(clip) for clip in clips[:-1])])


def _check_motion(name: str, clip: Clip, start: int, stride: int) -> None:
    """Refuse now what a walk cannot start from, before anything is trained.

    Raises:
        ValueError: the first two frames of the video, or most neighbouring frames of the clip, are the same.
    """
    steps = np.array([np.linalg.norm(after - before) for before, after in zip(clip, clip[stride:], strict=False)])
    usual = float(np.median(steps))
    if usual == 0:
        raise ValueError(f"path: {name} stands still: most of its frames equal the one {stride} before")
    if steps[start] < STILL * usual:
        raise ValueError(
            f"path: {name} hardly moves between frames {start + 1} and {start + stride + 1}, which are the given ones "
            f"(a step of {steps[start]:.2g}, the median is {usual:.2g}); cut it to where it moves, or change seed"
        )

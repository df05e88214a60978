"""The user's clips: folders of pictures, or video files; one video each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field

from manex.datasets.base import Clips, Raw
from manex.datasets.pictures import Frames as Clip
from manex.datasets.videos import ClipVideos, clip_videos


class Frames(Clips):
    """The user's clips: folders of pictures, or video files; one video each."""

    source: ClassVar[Raw | None] = "frames"

    path: Path = Field(description="a folder of clips, or one clip; relative to the project's root")
    unseen: int = Field(0, ge=0, description="the last clips, which alone give videos and are not trained on")


def frames(cfg: Frames, raw: Sequence[Clip]) -> ClipVideos:
    """One video from each clip, in the order of their names; the frames of all clips to train on.

    With `unseen` the last clips give the videos, and the others the frames to train on.

    Raises:
        ValueError: a clip is shorter than the video, or no clip is left to train on.
    """
    if cfg.unseen:
        return _unseen(cfg, raw)
    made = clip_videos(raw, range(len(raw)), cfg.frames, cfg.stride, cfg.seed)
    return replace(made, note=f"{len(raw)} clips of one's own, {len(made.frames)} frames")


def _unseen(cfg: Frames, raw: Sequence[Clip]) -> ClipVideos:
    known = raw[: -cfg.unseen]
    if not known:
        raise ValueError(f"unseen: {cfg.unseen} of {len(raw)} clips leave none to train on; take fewer")
    return replace(
        clip_videos(raw[-cfg.unseen :], range(cfg.unseen), cfg.frames, cfg.stride, cfg.seed),
        frames=np.concatenate(known),
        clip=np.repeat(np.arange(len(known)), [len(one) for one in known]),
        given=np.empty(0, np.int64),
        note=f"trained on {len(known)} clips of one's own; those of the videos, {cfg.unseen}, were never seen",
    )

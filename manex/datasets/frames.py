"""The user's clips: folders of pictures, or video files; one video each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from pydantic import Field

from manex.datasets.base import Clips, Raw
from manex.datasets.pictures import Frames as Clip
from manex.datasets.videos import ClipVideos, clip_videos


class Frames(Clips):
    """The user's clips: folders of pictures, or video files; one video each."""

    source: ClassVar[Raw | None] = "frames"

    path: Path = Field(description="a folder of clips, or one clip; relative to the project's root")


def frames(cfg: Frames, raw: Sequence[Clip]) -> ClipVideos:
    """One video from each clip, in the order of their names; the frames of all clips to train on.

    Raises:
        ValueError: a clip is shorter than the video.
    """
    made = clip_videos(raw, range(len(raw)), cfg.frames, cfg.stride, cfg.seed)
    return replace(made, note=f"{len(raw)} clips of one's own, {len(made.frames)} frames")

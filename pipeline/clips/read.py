"""A clip's frames, and the lines that the user should see about them."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.clips.levels import Levels, Look, Picture
from pipeline.clips.listing import Clip
from pipeline.clips.stills import read_pictures
from pipeline.clips.video import Say, read_video


def read_clip(clip: Clip, look: Look, say: Say) -> Iterator[Picture]:
    """Decode a clip, frame by frame: upright, of square pixels, opaque, in the whole range of its type.

    Raises:
        UserError: it cannot be read, or not as what it seems to be.
    """
    levels = Levels(clip.path, look)

    def told(line: str) -> None:
        say(f"{clip.path}: {line}")

    yield from read_pictures(clip.pictures, levels) if clip.pictures else read_video(clip.path, levels, told)
    if few := levels.finish():
        told(few)

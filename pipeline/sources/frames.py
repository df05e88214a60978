"""The user's own clips, as frames."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from manex.datasets.base import DatasetSettings
from manex.datasets.frames import Frames, NamedClips
from manex.datasets.pictures import whole
from pipeline.clips.levels import Look
from pipeline.clips.listing import find_clips
from pipeline.clips.read import read_clip
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.progress import track


def read(cfg: DatasetSettings, paths: Paths) -> NamedClips:
    """All clips of the user by name, in natural order. What the user should know of them goes to stderr.

    Raises:
        UserError: a clip that cannot be read, or too short; ValueError: a setting does not fit, by its name.
    """
    assert isinstance(cfg, Frames)
    path = paths.root / cfg.path
    if not path.exists():
        raise ValueError(f"path: {cfg.path} is not there (looked in {paths.root.resolve()})")
    try:
        found = find_clips(path, _say)
    except UserError:
        raise
    except ValueError as error:
        raise ValueError(f"path: {cfg.path} {error}") from None
    clips, look = {}, Look(cfg.ground, cfg.bits)
    for clip in found:
        pictures = track(read_clip(clip, look, _say), f"read {clip.name}", len(clip.pictures) or None)
        frames, span = whole(pictures, cfg.size, cfg.colour == "rgb"), (cfg.frames - 1) * cfg.stride + 1
        if len(frames) < span:
            raise UserError(
                f"{clip.path}: {len(frames)} frame(s); {cfg.frames} frames at stride {cfg.stride} need {span}"
            )
        clips[clip.name] = frames
    return NamedClips(clips, "clips of one's own")


def places(cfg: DatasetSettings, names: Sequence[str], paths: Paths) -> list[Path]:
    """Where the clips of these names are, as far as DVC sees them: below the project's root."""
    assert isinstance(cfg, Frames)
    top = paths.root / cfg.path
    found = [top / name if (top / name).exists() else top for name in names]
    return [place for place in found if place.is_relative_to(paths.root)]


def _say(line: str) -> None:
    sys.stderr.write(f"manex: {line}\n")

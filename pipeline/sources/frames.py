"""The user's own clips, as frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from manex.datasets.base import DatasetSettings
from manex.datasets.frames import Frames
from manex.datasets.pictures import whole
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.sources.media import PICTURES, VIDEOS, read_pictures, read_video


def read(cfg: DatasetSettings, paths: Paths) -> list[NDArray[np.float32]]:
    """All clips of the user, in the order of their names.

    Raises:
        UserError: no clips, one that cannot be read, or too short; ValueError: a setting does not fit, by its name.
    """
    assert isinstance(cfg, Frames)
    path = paths.root / cfg.path
    if not path.exists():
        raise ValueError(f"path: {cfg.path} is not there (looked in {paths.root.resolve()})")
    files = _clips(path)
    if not files:
        kinds = ", ".join((*PICTURES, *VIDEOS))
        raise ValueError(f"path: {cfg.path} holds no clips: folders of pictures, or videos ({kinds})")
    clips = []
    for file in files:
        pictures = read_pictures(file) if file.is_dir() else read_video(file)
        clip, span = whole(pictures, cfg.size, cfg.colour == "rgb"), (cfg.frames - 1) * cfg.stride + 1
        if len(clip) < span:
            raise UserError(f"{file}: {len(clip)} frame(s); {cfg.frames} frames at stride {cfg.stride} need {span}")
        clips.append(clip)
    return clips


def _clips(path: Path) -> list[Path]:
    """The clips below a path: itself, if it is a video or directly holds pictures."""
    if path.is_file():
        return [path]
    if _holds_pictures(path):
        return [path]
    inside = sorted(path.iterdir())
    return [file for file in inside if file.suffix.lower() in VIDEOS or (file.is_dir() and _holds_pictures(file))]


def _holds_pictures(folder: Path) -> bool:
    return any(file.suffix.lower() in PICTURES for file in folder.iterdir())

"""What a decoder may be given: regular files, within limits."""

from __future__ import annotations

import stat
from pathlib import Path

from pipeline.errors import UserError

MAX_FRAMES = 20_000
MAX_PIXELS = 2**25
"""Pixels of one picture that a decoder may fill. 8K video has as many."""


def limit(path: Path, frames: int, height: int, width: int) -> None:
    """Refuse what would fill the memory.

    Raises:
        UserError: too many frames, or too many pixels.
    """
    if frames > MAX_FRAMES or height * width > MAX_PIXELS:
        raise UserError(f"{path}: {frames} frames of {width}x{height} are too much for one clip; cut it, or shrink it")


def regular(path: Path) -> None:
    """Refuse what is there but no file: a pipe would be waited on endlessly.

    Raises:
        UserError: a pipe, socket or device.
    """
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        raise UserError(f"{path}: no regular file, so it cannot be read as a clip; remove it")

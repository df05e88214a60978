"""Pictures and videos from files that nobody has vouched for: decoded within limits, refused with the reason."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError

MAX_FRAMES = 20_000
MAX_PIXELS = 500_000_000
"""Of a clip in all, times three bytes each: what a decoder may be made to fill."""
PICTURES = (".png", ".jpg", ".jpeg")
VIDEOS = (".avi", ".mp4", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".m4v", ".gif")

_EIGHT_BIT = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")
"""Modes of Pillow that become RGB without clipping."""

Pictures = NDArray[np.uint8]
"""(frame, height, width, 3), RGB, 0-255."""


def read_video(path: Path) -> Pictures:
    """All frames of the first video stream of a file.

    Raises:
        UserError: missing, no video, no frame, truncated, or beyond the limits.
    """
    import av

    frames: list[NDArray[np.uint8]] = []
    try:
        with av.open(path) as container:
            if not container.streams.video:
                raise UserError(f"{path}: holds no video stream")
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise UserError(f"{path}: no decoder for its codec; convert it, such as to MP4")
            _limit(path, max(1, stream.frames), stream.height, stream.width)
            for frame in container.decode(stream):
                _limit(path, len(frames) + 1, frame.height, frame.width)
                frames.append(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
            promised = stream.frames
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())[:160]
        raise UserError(f"{path}: cannot be decoded as a video ({reason})") from None
    if not frames:
        raise UserError(f"{path}: holds no frame")
    if len(frames) < promised:
        raise UserError(f"{path}: truncated, {len(frames)} of {promised} frames")
    return _stacked(path, frames)


def read_pictures(folder: Path) -> Pictures:
    """The PNG and JPEG pictures of a folder as a clip, in the order of the numbers in their names.

    Raises:
        UserError: one that cannot be read, sizes that differ, or beyond the limits.
    """
    files = sorted((path for path in folder.iterdir() if path.suffix.lower() in PICTURES), key=_in_order)
    frames = []
    for number, path in enumerate(files, start=1):
        frames.append(read_picture(path))
        _limit(folder, number, *frames[-1].shape[:2])
        if frames[-1].shape != frames[0].shape:
            first = f"{files[0].name} is {_size(frames[0])}"
            raise UserError(f"{path}: {_size(frames[-1])}, but {first}: sizes must be equal")
    return _stacked(folder, frames)


def read_strip(path: Path) -> Pictures:
    """Square frames side by side in one picture.

    Raises:
        UserError: cannot be read, or not a row of squares.
    """
    strip = read_picture(path)
    side, width = strip.shape[:2]
    if width % side:
        raise UserError(f"{path}: {_size(strip)} is no row of squares")
    return np.ascontiguousarray(strip.reshape(side, width // side, side, 3).swapaxes(0, 1))


def read_picture(path: Path) -> NDArray[np.uint8]:
    """(height, width, 3), RGB; transparency is dropped.

    Raises:
        UserError: missing, damaged, too large.
    """
    from PIL import Image

    try:
        with Image.open(path, formats=("PNG", "JPEG")) as picture:
            _limit(path, 1, *reversed(picture.size))
            if picture.mode not in _EIGHT_BIT:
                raise ValueError(f"mode {picture.mode}, not 8 bits a channel")
            return np.asarray(picture.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: cannot be read as a picture ({' '.join(str(error).split())[:160]})") from None


def _limit(path: Path, frames: int, height: int, width: int) -> None:
    if frames > MAX_FRAMES or frames * height * width > MAX_PIXELS:
        raise UserError(f"{path}: {frames} frames of {width}x{height} are too much for one clip; cut it, or shrink it")


def _stacked(path: Path, frames: list[NDArray[np.uint8]]) -> Pictures:
    if len({frame.shape for frame in frames}) > 1:
        raise UserError(f"{path}: its frames differ in size")
    return np.stack(frames)


def _size(picture: NDArray[np.uint8]) -> str:
    return f"{picture.shape[1]}x{picture.shape[0]}"


def _in_order(path: Path) -> tuple[list[int], str]:
    """frame_2 before frame_10."""
    return [int(number) for number in re.findall("[0-9]+", path.stem)], path.name

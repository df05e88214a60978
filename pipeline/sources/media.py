"""Pictures and videos from untrusted files: decoded one by one, within limits, or refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UserError

MAX_FRAMES = 20_000
MAX_PIXELS = 2**25
"""Pixels of one picture that a decoder may fill. 8K video has as many."""
PICTURES = (".png", ".jpg", ".jpeg")
VIDEOS = (".avi", ".mp4", ".mov", ".mkv", ".webm", ".mpg", ".mpeg", ".m4v", ".gif")
OPENED = {
    "format_whitelist": "avi,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpeg,mpegvideo,mpegts,gif",
    "protocol_whitelist": "file",
}
"""Formats that a decoder may detect: no playlist, which would make it read other files or addresses."""
_EIGHT_BIT = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr")
"""Modes of Pillow that become RGB without clipping."""

Picture = NDArray[np.uint8]
"""(height, width, 3), RGB, 0-255."""


def read_video(path: Path) -> Iterator[Picture]:
    """The frames of the first video stream of a file.

    Raises:
        UserError: missing, no video, no frame, truncated, of varying size, or beyond the limits.
    """
    import av

    count = 0
    try:
        with av.open(path, container_options=OPENED) as container:
            if not container.streams.video:
                raise UserError(f"{path}: holds no video stream")
            stream = container.streams.video[0]
            if stream.codec_context is None:
                raise UserError(f"{path}: no decoder for its codec; convert it, such as to MP4")
            size = (stream.height, stream.width)
            promised = stream.frames
            _limit(path, promised, *size)
            for frame in container.decode(stream):
                count += 1
                _limit(path, count, frame.height, frame.width)
                if (frame.height, frame.width) != size:
                    raise UserError(f"{path}: frame {count} is {frame.width}x{frame.height}, not {size[1]}x{size[0]}")
                yield np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())[:160]
        raise UserError(f"{path}: cannot be decoded as a video ({reason})") from None
    if not count:
        raise UserError(f"{path}: holds no frame")
    if count < promised:
        raise UserError(f"{path}: truncated, {count} of {promised} frames")


def read_pictures(folder: Path) -> Iterator[Picture]:
    """The PNG and JPEG pictures of a folder as a clip, in the order of the numbers in their names.

    Raises:
        UserError: one that cannot be read, sizes that differ, or beyond the limits.
    """
    files = sorted((path for path in folder.iterdir() if path.suffix.lower() in PICTURES), key=_in_order)
    _limit(folder, len(files), 1, 1)
    size = ""
    for path in files:
        picture = read_picture(path)
        size = size or _size(picture)
        if _size(picture) != size:
            raise UserError(f"{path}: {_size(picture)}, but {files[0].name} is {size}: sizes must be equal")
        yield picture


def read_strip(path: Path) -> Iterator[Picture]:
    """Square frames side by side in one picture.

    Raises:
        UserError: cannot be read, or not a row of squares.
    """
    strip = read_picture(path)
    side, width = strip.shape[:2]
    if width % side:
        raise UserError(f"{path}: {_size(strip)} is no row of squares")
    yield from np.split(strip, width // side, axis=1)


def read_picture(path: Path) -> Picture:
    """One picture; transparency is dropped.

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
    if frames > MAX_FRAMES or height * width > MAX_PIXELS:
        raise UserError(f"{path}: {frames} frames of {width}x{height} are too much for one clip; cut it, or shrink it")


def _size(picture: Picture) -> str:
    return f"{picture.shape[1]}x{picture.shape[0]}"


def _in_order(path: Path) -> tuple[list[int], str]:
    """frame_2 before frame_10."""
    return [int(number) for number in re.findall("[0-9]+", path.stem)], path.name

"""Pictures from untrusted files: whole, upright, opaque, at the depth they have, or refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.clips.levels import Levels, Look, Picture
from pipeline.clips.limits import limit, regular
from pipeline.clips.orientation import UPRIGHT, turned
from pipeline.errors import UserError

if TYPE_CHECKING:
    from PIL.Image import Image

_FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
_EIGHT_BIT = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr", "LAB")
"""Modes of Pillow that become RGB without clipping."""
_ORIENTATION = 0x0112
_BITS_PER_SAMPLE, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339
_WHITE_IS_ZERO = 0


def read_pictures(files: Sequence[Path], levels: Levels) -> Iterator[Picture]:
    """The pictures of a clip, in the order given.

    Raises:
        UserError: one that cannot be read, sizes that differ, or beyond the limits.
    """
    limit(levels.path, len(files), 1, 1)
    size = ""
    for path in files:
        picture = _read(path, levels)
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
    """One picture on black.

    Raises:
        UserError: missing, damaged, animated, too large, or of levels that are not of 8 or 16 bits.
    """
    levels = Levels(path, Look())
    picture = _read(path, levels)
    levels.finish()
    return picture


def _read(path: Path, levels: Levels) -> Picture:
    import av
    from PIL import Image

    Image.init()  # the formats that it does not know at once
    regular(path)
    try:
        with Image.open(path, formats=_FORMATS) as image:
            limit(path, 1, *reversed(image.size))
            count = getattr(image, "n_frames", 1)
            if image.format != "MPO" and count > 1:  # an MPO's others are previews
                raise ValueError(f"{count} pictures in one file; save each as a file, or all as a video")
            deep, orientation = _deep(image, path), image.getexif().get(_ORIENTATION, UPRIGHT)
            if not deep or image.format == "PNG":  # whose orientation may come last
                image.load()  # turns a TIFF
                orientation = image.getexif().get(_ORIENTATION, UPRIGHT)
            if not deep:
                decoded = np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))
        if image.format == "PNG":
            with Image.open(path, formats=_FORMATS) as image:
                image.verify()  # its checksums
        if deep:
            decoded = _sixteen_bit(path, str(image.format))
    except (OSError, ValueError, SyntaxError, av.FFmpegError, Image.DecompressionBombError) as error:
        raise UserError(f"{path}: cannot be read as a picture ({' '.join(str(error).split())[:160]})") from None
    return levels.seen(turned(decoded, orientation), deep)


def _deep(image: Image, path: Path) -> bool:
    """Whether its levels have 16 bits; of the modes that Pillow has, most would lose the lower ones.

    Raises:
        ValueError: they have neither 8 bits (or fewer) nor 16.
    """
    if image.format == "PNG":
        with path.open("rb") as stream:
            return stream.read(25)[24:] == b"\x10"  # IHDR comes first: its depth
    if image.format == "TIFF":
        tags = image.tag_v2  # type: ignore[attr-defined]
        bits, kinds = set(tags.get(_BITS_PER_SAMPLE, (1,))), set(tags.get(_SAMPLE_FORMAT, (1,)))
        if bits == {16} and kinds == {1} and tags.get(_PHOTOMETRIC) != _WHITE_IS_ZERO:
            return True
        if max(bits) > 8 or kinds != {1}:
            raise ValueError(f"mode {image.mode}, {max(bits)} bits a channel: save it with 8 or 16, black at zero")
    if image.mode not in _EIGHT_BIT:
        raise ValueError(f"mode {image.mode}, not 8 or 16 bits a channel")
    return False


def _sixteen_bit(path: Path, kind: str) -> Picture:
    import av

    with av.open(path, format=f"{kind.lower()}_pipe") as container:
        frame = next(container.decode(video=0), None)
        if frame is None or max(component.bits for component in frame.format.components) != 16:
            raise ValueError("not of 16 bits, though it says so")
        return frame.to_ndarray(format="rgba64le")


def _size(picture: Picture) -> str:
    return f"{picture.shape[1]}x{picture.shape[0]}"

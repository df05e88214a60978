"""The clips below a folder: every file is a clip's, or junk, or named; what cannot be used as media stops all."""

from __future__ import annotations

import mimetypes
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.clips.formats import PICTURES, VIDEOS
from pipeline.clips.limits import regular
from pipeline.clips.order import gap, in_order, natural
from pipeline.clips.video import Say
from pipeline.errors import UserError

JUNK = (
    *("__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "$recycle.bin", "icon\r", "lost+found"),
    *("system volume information", "__pycache__"),
)
"""What systems leave in folders, in lower case. Names that begin with a dot are junk, too."""
_UNTYPED = (
    *(".dng", ".exr", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".cr2", ".nef", ".arw", ".raw", ".tga", ".dpx"),
    *(
        ".pgm",
        ".ppm",
        ".pnm",
        ".pbm",
        ".apng",
        ".npy",
        ".npz",
        ".mxf",
        ".y4m",
        ".yuv",
        ".rm",
        ".rmvb",
        ".nut",
        ".dv",
        ".hdr",
    ),
    *(".h264", ".264", ".h265", ".265", ".hevc", ".av1", ".ivf", ".braw", ".r3d", ".mjpeg", ".mjpg"),
)
"""Suffixes of media that Python's table of types may lack."""
_FIRST_BYTES = (
    *(b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"\x1a\x45\xdf\xa3", b"OggS", b"FLV", b"\0\0\1\xba"),
)
"""Of media; others have theirs further on."""
_KINDS = f"folders of pictures ({', '.join(PICTURES)}), or videos ({', '.join(VIDEOS)})"


@dataclass(frozen=True)
class Clip:
    """A clip that was found.

    Attributes:
        name: where it is below the folder of all clips, such as "swing.mp4".
        path: a video, or the folder of the pictures.
        pictures: in their order; empty for a video.
    """

    name: str
    path: Path
    pictures: Sequence[Path] = ()


def find_clips(path: Path, say: Say) -> list[Clip]:
    """All clips below a folder, in the natural order of their names; or the one that the path itself is.

    Args:
        say: takes what is skipped or not used, and gaps in the numbers of frames.

    Raises:
        UserError: media that cannot be used, pictures beside clips, or names whose order is not clear.
        ValueError: no clip at all.
    """
    _named_well(path)
    if not path.is_dir():
        if path.suffix.lower() not in VIDEOS:
            raise ValueError(f"is neither a video ({', '.join(VIDEOS)}) nor a folder of clips")
        return [Clip(path.name, path)]
    found = _Found(path)
    found.look_into(path, ())
    if found.junk:
        say(f"{path}: skipped {_few(found.junk)}")
    if found.unused:
        say(f"{path}: not used, as neither pictures nor videos: {_few(found.unused)}")
    if not found.clips:
        raise ValueError(f"holds no clips: {_KINDS}")
    for clip in found.clips:
        if left_out := gap(clip.pictures):
            say(f"{clip.path}: the numbers have a gap: {left_out}")
    return sorted(found.clips, key=lambda clip: (natural(clip.name), clip.name))


class _Found:
    """What a walk through all folders has found so far."""

    def __init__(self, top: Path) -> None:
        self.top = top
        self.clips: list[Clip] = []
        self.junk: list[str] = []
        self.unused: list[str] = []

    def look_into(self, folder: Path, above: Sequence[Path]) -> bool:
        """Add the clips in a folder and below it; whether there are any."""
        real = folder.resolve()
        if real in above:
            raise UserError(f"{folder}: a link to a folder that holds it; remove it")
        pictures, others, held = [], [], False
        for entry in self._entries(folder):
            kind = _kind(entry)
            if kind == "folder":
                held |= self.look_into(entry, (*above, real))
            elif kind == "picture":
                pictures.append(entry)
            elif kind == "video":
                others.append(entry)
            else:
                self.unused.append(self._name(entry))
        self.clips += [Clip(self._name(video), video) for video in others]
        if pictures and (others or held):
            beside = self._name(others[0]) if others else "clips in folders"
            raise UserError(
                f"{folder}: pictures beside {beside}: {_few([picture.name for picture in pictures])}; "
                "put the pictures of each clip into a folder of their own, or remove them"
            )
        if pictures:
            self.clips.append(Clip(self._name(folder), folder, in_order(pictures)))
        elif not others and not held and above:
            self.unused.append(f"{self._name(folder)} (a folder without clips)")
        return bool(pictures or others or held)

    def _entries(self, folder: Path) -> Iterator[Path]:
        for entry in sorted(folder.iterdir(), key=lambda path: natural(path.name)):
            _named_well(entry)
            if entry.name.startswith(".") or entry.name.lower() in JUNK:
                self.junk.append(self._name(entry))
            else:
                yield entry

    def _name(self, path: Path) -> str:
        return path.name if path == self.top else path.relative_to(self.top).as_posix()


def _kind(path: Path) -> str:
    """ "folder", "picture", "video", or "" for what is no medium.

    Raises:
        UserError: a medium that cannot be read, a link that leads nowhere, a pipe.
    """
    if path.is_dir():
        return "folder"
    if not path.exists():
        raise UserError(f"{path}: a link that leads nowhere; remove it")
    regular(path)
    suffix = path.suffix.lower()
    if suffix in PICTURES or suffix in VIDEOS:
        return "picture" if suffix in PICTURES else "video"
    guessed = mimetypes.guess_type(path.name)[0] or ""
    if suffix in _UNTYPED or guessed.startswith(("image/", "video/")) or _looks_like_media(path):
        raise UserError(f"{path}: cannot be used: clips are {_KINDS}; convert it, or remove it")
    return ""


def _looks_like_media(path: Path) -> bool:
    """A picture or a video without its suffix."""
    with path.open("rb") as stream:
        start = stream.read(16)
    return start.startswith(_FIRST_BYTES) or start[4:8] in (b"ftyp", b"moov") or start[8:12] in (b"AVI ", b"WEBP")


def _named_well(path: Path) -> None:
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode(errors="backslashreplace")
        raise UserError(f"{shown}: its name is not UTF-8, which DVC cannot store; rename it") from None


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")

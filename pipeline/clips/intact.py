"""Whether a video file ends where it says it does. A decoder does not tell: it takes half a file for a short clip."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_SEGMENT, _CLUSTER, _CRC = 0x18538067, 0x1F43B675, 0xBF
_TS_PACKET = 188
_BOXES = (
    *(b"ftyp", b"styp", b"moov", b"moof", b"mfra", b"mdat", b"free", b"skip", b"wide", b"uuid", b"sidx", b"ssix"),
    *(b"meta", b"udta", b"pnot", b"pdin", b"emsg", b"prft"),
)
_ASF = bytes.fromhex("3026b2758e66cf11")
_FILE_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")


def defect(path: Path) -> str | None:
    """What is wrong with the structure of a file, in words; "" if it is whole; None if nothing in it says so.

    Known are AVI (RIFF), MP4 and MOV, Matroska and WebM, WMV, Ogg, MPEG program and transport streams, GIF. A stream
    that is cut between two packets is just a shorter one.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        start = stream.read(16)
        stream.seek(0)
        for check, known in _CHECKS:
            if known(start):
                return check(stream, size)
    return None


def _riff(stream: BinaryIO, size: int) -> str | None:
    """AVI: chunks of RIFF, several in files beyond 1 GB. A size of zero is a recorder's that never closed the file."""
    place = 0
    while place + 8 <= size:
        stream.seek(place)
        kind, length = struct.unpack("<4sI", stream.read(8))
        if kind not in (b"RIFF", b"JUNK") or not length:
            break
        place += 8 + length + length % 2
    return _beyond(place - 8, size) or ("" if place else None)  # some writers count eight bytes twice


def _boxes(stream: BinaryIO, size: int) -> str | None:
    """MP4 and MOV: boxes, one after the other. What follows them may be no box. Fragments have an index last."""
    place, kinds = 0, set()
    while place + 8 <= size:
        stream.seek(place)
        length, kind = struct.unpack(">I4s", stream.read(8))
        if length == 1:
            (length,) = struct.unpack(">Q", stream.read(8).rjust(8, b"\xff"))
        if length < 8 or kind not in _BOXES:
            break  # zero: to the end of the file
        place += length
        kinds.add(kind)
    return _beyond(place, size) or (None if b"moof" in kinds and b"mfra" not in kinds else "")


def _ebml(stream: BinaryIO, size: int) -> str | None:
    """Matroska and WebM: the segment, and the checksums of its clusters where there are any."""
    place = 0
    while place < size:
        name, length, place = _element(stream, place)
        if length is None:
            return None  # a live recording
        if name == _SEGMENT:
            if place + length > size:
                return _beyond(place + length, size)
            continue  # into it
        if place + length > size:
            return _beyond(place + length, size)
        if name == _CLUSTER and not _sound(stream, place, length):
            return "damaged: the checksum of a cluster is of other bytes"
        place += length
    return ""


def _element(stream: BinaryIO, place: int) -> tuple[int, int | None, int]:
    """Name and length of an EBML element, and where its content begins; no length if it is not known."""
    stream.seek(place)
    head = stream.read(12)
    width = 9 - head[0].bit_length() if head and head[0] else 1
    name = int.from_bytes(head[:width])
    rest = head[width:]
    if not rest or not rest[0]:
        return name, None, place + len(head)
    wide = 9 - rest[0].bit_length()
    length = int.from_bytes(rest[:wide]) & ((1 << 7 * wide) - 1)
    unknown = length == (1 << 7 * wide) - 1
    return name, None if unknown else length, place + width + wide


def _sound(stream: BinaryIO, place: int, length: int) -> bool:
    stream.seek(place)
    content = stream.read(length)
    if content[:2] != bytes([_CRC, 0x84]):
        return True
    return zlib.crc32(content[6:]) == int.from_bytes(content[2:6], "little")


def _program(stream: BinaryIO, size: int) -> str | None:
    """MPEG program streams: packs and packets, each with its length."""
    place = 0
    while place + 6 <= size:
        stream.seek(place)
        head = stream.read(14)
        if head[:3] != b"\0\0\1" or head[3] < 0xB9:
            return None  # no packets
        if head[3] == 0xB9:
            return ""  # the end, as it should be
        if head[3] == 0xBA:
            place += 14 + (head[13] & 7) if len(head) == 14 and head[4] >> 6 == 1 else 12
        else:
            place += 6 + int.from_bytes(head[4:6])
    return _beyond(place, size) or None


def _transport(stream: BinaryIO, size: int) -> str | None:
    """MPEG transport streams: packets of one length (and four bytes more each in M2TS)."""
    stream.seek(_TS_PACKET)
    packet = _TS_PACKET if stream.read(1) == b"\x47" else _TS_PACKET + 4
    return f"truncated: {size % packet} of {packet} bytes of its last packet" if size % packet else None


def _ogg(stream: BinaryIO, size: int) -> str:
    """Ogg: pages; the last of each of its streams says so."""
    stream.seek(max(0, size - 2**17))
    tail = stream.read()
    page = tail.rfind(b"OggS")
    if page < 0 or not tail[page + 5] & 4:
        return "truncated: it ends before its last page"
    segments = tail[page + 26]
    return _beyond(size - len(tail) + page + 27 + segments + sum(tail[page + 27 : page + 27 + segments]), size)


def _asf(stream: BinaryIO, size: int) -> str | None:
    """WMV and ASF: the header has the size of the file, unless it was broadcast."""
    head = stream.read(2**16)
    place = head.find(_FILE_PROPERTIES)
    said = int.from_bytes(head[place + 40 : place + 48], "little") if place >= 0 else 0
    return _beyond(said, size) if said else None


def _gif(stream: BinaryIO, size: int) -> str:
    """GIF: blocks up to a trailer."""
    content = stream.read(size)
    place = 13 + (3 << (content[10] & 7) + 1 if len(content) > 10 and content[10] & 0x80 else 0)
    while place < size:
        kind = content[place]
        if kind == 0x3B:
            return ""
        if kind == 0x2C and place + 9 < size:
            packed = content[place + 9]
            place += 11 + (3 << (packed & 7) + 1 if packed & 0x80 else 0)
        else:
            place += 2
        while place < size and content[place]:  # sub-blocks, each with its length
            place += 1 + content[place]
        place += 1
    return "truncated: it ends before its last block"


def _beyond(end: int, size: int) -> str:
    return f"truncated: it has {size:,} of {end:,} bytes" if end > size else ""


_Check = tuple[Callable[[BinaryIO, int], str | None], Callable[[bytes], bool]]
_CHECKS: tuple[_Check, ...] = (
    (_riff, lambda start: start[:4] == b"RIFF"),
    (_boxes, lambda start: start[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")),
    (_ebml, lambda start: start[:4] == b"\x1a\x45\xdf\xa3"),
    (_program, lambda start: start[:4] == b"\0\0\1\xba"),
    (_asf, lambda start: start[:8] == _ASF),
    (_ogg, lambda start: start[:4] == b"OggS"),
    (_gif, lambda start: start[:4] == b"GIF8"),
    (_transport, lambda start: start[:1] == b"\x47" or start[4:5] == b"\x47"),
)
"""Tried in this order: what reads a kind of file, and what its first bytes look like."""

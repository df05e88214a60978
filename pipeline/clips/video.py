"""Videos from untrusted files: decoded as a viewer shows them, or refused; half a file is no clip."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.clips.intact import defect
from pipeline.clips.levels import Levels, Picture
from pipeline.clips.limits import limit, regular
from pipeline.clips.orientation import UPRIGHT, of_matrix, turned
from pipeline.clips.times import Times
from pipeline.errors import UserError

if TYPE_CHECKING:
    from av import Packet, VideoFrame, VideoStream
    from av.container import InputContainer
    from av.video.codeccontext import VideoCodecContext

OPENED = {
    "format_whitelist": "avi,mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpeg,mpegvideo,mpegts,gif,asf,flv,ogg",
    "protocol_whitelist": "file",
}
"""Formats that a decoder may detect: no playlist, which would make it read other files or addresses."""
_STRICT = {"vp8": "libvpx", "vp9": "libvpx-vp9"}
"""Decoders, by codec, that mark damage and know transparency where FFmpeg's own do neither."""
_TELLING = ("ffv1", "gif", "mjpeg")
"""Codecs whose decoders log damage, such as a wrong checksum, but mark no frame."""

Say = Callable[[str], None]
"""Takes a line for the user."""


def read_video(path: Path, levels: Levels, say: Say) -> Iterator[Picture]:
    """The frames of the first video stream of a file: upright, of square pixels, opaque.

    Raises:
        UserError: no file, no video, no frame, truncated, damaged, of varying size or uneven times, or too large.
    """
    import av

    regular(path)
    count, times = 0, Times()
    try:
        wrong = defect(path)
        if wrong:
            raise UserError(f"{path}: {wrong}; a part of a clip is not used: get the whole file")
        with av.open(path, container_options=OPENED) as container:
            stream = _stream(container, path, say)
            size = (stream.height, stream.width)
            limit(path, stream.frames, *size)
            orientation = _orientation(path)
            for frame in _frames(container, stream, path):
                count += 1
                limit(path, count, frame.height, frame.width)
                if (frame.height, frame.width) != size:
                    raise UserError(f"{path}: frame {count} is {frame.width}x{frame.height}, not {size[1]}x{size[0]}")
                unit = stream.time_base or Fraction(0)  # the frame's own is lost at the end
                times.add(None if frame.pts is None else float(frame.pts * unit), float((frame.duration or 0) * unit))
                shape = _shown(*size, stream.sample_aspect_ratio or Fraction(1))
                limit(path, count, *shape)
                decoded, deep = _pixels(frame, shape)
                yield levels.seen(turned(decoded, orientation), deep)
            promised = _duration(container, stream)
    except (av.FFmpegError, OSError, ValueError) as error:
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())[:160]
        raise UserError(f"{path}: cannot be decoded as a video ({reason})") from None
    if not count:
        raise UserError(f"{path}: holds no frame")
    if count > 1 and times.end < promised - 1.5 * times.usual:
        raise UserError(f"{path}: truncated, it ends after {times.end:.2f} of {promised:.2f} seconds ({count} frames)")
    if wrong is None:
        say(f"nothing in the file says where it ends; {count} frames were read")
    if uneven := times.uneven(path):
        say(uneven)


def _stream(container: InputContainer, path: Path, say: Say) -> VideoStream:
    """The first video that is not a cover picture."""
    from av.stream import Disposition

    found = [stream for stream in container.streams.video if not stream.disposition & Disposition.attached_pic]
    if not found:
        raise UserError(f"{path}: holds no video stream")
    if found[0].codec_context is None:
        raise UserError(f"{path}: no decoder for its codec; convert it, such as to MP4")
    if len(found) > 1:
        say(f"holds {len(found)} videos; the first is taken")
    return found[0]


def _frames(container: InputContainer, stream: VideoStream, path: Path) -> Iterator[VideoFrame]:
    """All frames, none of which the decoder marks as damaged."""
    decoder, count = _decoder(stream), 0
    for packet in container.demux(stream):
        if packet.is_corrupt:
            raise UserError(f"{path}: damaged after frame {count}: get the whole file")
        if packet.size or packet.pts is None:  # not a frame that was dropped: no bytes would end the decoding
            for frame in _decoded(decoder, packet if packet.size else None, path, count):
                count += 1
                if frame.is_corrupt:
                    raise UserError(f"{path}: damaged at frame {count}: a damaged clip is not used, get the whole file")
                yield frame


def _decoded(
    decoder: VideoCodecContext, packet: Packet[VideoStream] | None, path: Path, count: int
) -> list[VideoFrame]:
    """The frames of a packet; what the decoders of some codecs say of them is believed."""
    import av.logging as log

    if decoder.name not in _TELLING:
        return decoder.decode(packet)
    level, skip = log.get_level(), log.get_skip_repeated()
    try:
        log.set_level(log.ERROR)
        log.set_skip_repeated(False)
        with log.Capture() as told:
            frames = decoder.decode(packet)
    finally:
        log.set_level(level)
        log.set_skip_repeated(skip)
    if told:
        raise UserError(f"{path}: damaged at frame {count + 1} ({told[0][2].strip()[:80]}): get the whole file")
    return frames


def _decoder(stream: VideoStream) -> VideoCodecContext:
    import av
    from av.video.codeccontext import VideoCodecContext

    context = stream.codec_context
    if context.name in _TELLING:
        context.thread_count = 1  # of several only one would be heard
    strict = _STRICT.get(context.name)
    if strict not in av.codecs_available:
        return context
    made = av.CodecContext.create(strict, "r")
    assert isinstance(made, VideoCodecContext)
    made.extradata, made.thread_count = context.extradata, os.cpu_count() or 1
    return made


def _pixels(frame: VideoFrame, shape: tuple[int, int]) -> tuple[Picture, bool]:
    """The pixels with 3 channels, or with a fourth that is opacity; and whether a level has 16 bits."""
    kind, bits = frame.format, max(component.bits for component in frame.format.components)
    if bits > 16:
        raise ValueError(f"{bits} bits a channel: convert it to 8 or 16")
    clear = kind.has_palette or any(component.is_alpha for component in kind.components)
    form = {(False, False): "rgb24", (False, True): "rgba", (True, False): "rgb48le", (True, True): "rgba64le"}
    return frame.to_ndarray(height=shape[0], width=shape[1], format=form[bits > 8, clear]), bits == 16


def _shown(height: int, width: int, pixel: Fraction) -> tuple[int, int]:
    """Height and width in square pixels, none fewer than there are."""
    return (height, round(width * pixel)) if pixel >= 1 else (round(height / pixel), width)


def _orientation(path: Path) -> int:
    """From the display matrix of the first frame, as FFmpeg's own decoder passes it on."""
    import av
    from av.sidedata.sidedata import Type

    with av.open(path, container_options=OPENED) as container:
        frame = next(container.decode(_stream(container, path, lambda line: None)), None)
        matrix: Any = frame.side_data.get(Type.DISPLAYMATRIX, None) if frame else None  # type: ignore[call-overload]
        return UPRIGHT if matrix is None else of_matrix(bytes(matrix))


def _duration(container: InputContainer, stream: VideoStream) -> float:
    """How long the video should be, in seconds; 0 if that is not known: other streams may be longer."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    if tag := stream.metadata.get("DURATION"):
        hours, minutes, seconds = tag.split(":")
        return 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    return container.duration / 1e6 if container.duration and len(container.streams) == 1 else 0

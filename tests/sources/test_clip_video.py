"""Videos as a viewer shows them, whole; what is cut or damaged is refused, what is merely odd is not."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from movies import moving_square
from skimage.transform import resize

from pipeline.clips.levels import Look
from pipeline.clips.listing import Clip
from pipeline.clips.read import read_clip
from pipeline.errors import UserError

CLIP = moving_square(24, 48, 64, 20)
CLIP = np.clip(CLIP + np.random.default_rng(1).integers(0, 60, CLIP.shape), 0, 255).astype(np.uint8)
KINDS = {
    "a.mkv": ("libx264", "yuv420p"),
    "a.webm": ("libvpx-vp9", "yuv420p"),
    "b.webm": ("libvpx", "yuv420p"),
    "a.mpg": ("mpeg2video", "yuv420p"),
    "a.ts": ("mpeg2video", "yuv420p"),
    "b.ts": ("libx264", "yuv420p"),
    "a.gif": ("gif", "rgb8"),
    "a.mp4": ("libx264", "yuv420p"),
    "a.mov": ("mjpeg", "yuvj420p"),
    "a.avi": ("mpeg4", "yuv420p"),
    "b.avi": ("rawvideo", "bgr24"),
    "a.wmv": ("wmv2", "yuv420p"),
    "a.flv": ("flv", "yuv420p"),
    "a.m2ts": ("libx264", "yuv420p"),
    "a.3gp": ("mpeg4", "yuv420p"),
}
"""Containers and codecs."""


def write(path: Path, pictures: Iterable[np.ndarray], codec: str, pixels: str, **more: object) -> Path:
    """A video at 25 frames per second. `form` is the pictures', `pts` their times; the rest goes to the stream."""
    pictures = list(pictures)
    form, pts = more.pop("form", "rgb24"), more.pop("pts", range(len(pictures)))
    with av.open(path, "w", options=more.pop("muxer", {})) as container:
        stream = container.add_stream(codec, rate=Fraction(25), options=more.pop("options", {}))
        stream.height, stream.width, stream.pix_fmt = *pictures[0].shape[:2], pixels
        if matrix := more.pop("rotation", None):
            stream.set_display_rotation(matrix)
        for key, value in more.items():
            setattr(stream, key, value)
        for picture, time in zip(pictures, pts, strict=True):
            frame = av.VideoFrame.from_ndarray(picture, format=form)
            frame.pts, frame.time_base = time, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def read(path: Path, look: Look = Look()) -> tuple[np.ndarray, list[str]]:  # noqa: B008
    """The pictures, and the lines that are told of them."""
    lines: list[str] = []
    return np.stack(list(read_clip(Clip(path.name, path), look, lines.append))), lines


@pytest.mark.parametrize("name", KINDS)
def test_every_container_gives_all_frames(name: str, tmp_path: Path) -> None:
    found, _ = read(write(tmp_path / name, CLIP, *KINDS[name]))
    assert found.shape == CLIP.shape
    assert np.abs(found.astype(int) - CLIP).mean() < 25


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.97])
@pytest.mark.parametrize("name", KINDS)
def test_a_video_that_was_cut_is_refused_or_known_to_be_open_ended(name: str, share: float, tmp_path: Path) -> None:
    path = write(tmp_path / name, CLIP, *KINDS[name])
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content)) | 1])  # odd: not between two packets of a transport stream
    with pytest.raises(UserError, match=r"(truncated|damaged|cannot be decoded|holds no|no decoder)") as caught:
        read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("name", ["a.ts", "b.ts"])
def test_a_stream_that_says_nothing_of_its_end_is_read_with_a_word(name: str, tmp_path: Path) -> None:
    """Cut between two packets it is just a shorter one: nobody can know."""
    found, lines = read(write(tmp_path / name, CLIP, *KINDS[name]))
    assert len(found) == 24
    assert f"{tmp_path / name}: nothing in the file says where it ends; 24 frames were read" in lines


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", ["a.mkv", "a.webm"])
def test_flipped_bytes_are_refused(name: str, seed: int, tmp_path: Path) -> None:
    """Matroska's checksums and VP9's decoder notice all; others, see below, what makes no sense to them."""
    path, chance = write(tmp_path / name, CLIP, *KINDS[name]), random.Random(seed)
    content = bytearray(path.read_bytes())
    for _ in range(4):
        content[chance.randrange(len(content) // 4, 3 * len(content) // 4)] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    with pytest.raises(UserError):
        read(path)


@pytest.mark.parametrize("seed", range(4))
def test_a_wrong_checksum_that_a_decoder_only_logs_is_damage(seed: int, tmp_path: Path) -> None:
    path = write(tmp_path / "a.avi", CLIP, "ffv1", "bgr0", options={"level": "3", "slicecrc": "1"})
    content, chance = bytearray(path.read_bytes()), random.Random(seed)
    content[chance.randrange(len(content) // 4, 3 * len(content) // 4)] ^= 1 << chance.randrange(8)
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.avi: damaged at frame \d+ \(slice CRC mismatch"):
        read(path)


@pytest.mark.parametrize("name", ["a.mpg", "a.ts", "b.ts", "a.avi", "a.mp4"])
def test_no_frame_that_a_decoder_marks_corrupt_is_passed_on(name: str, tmp_path: Path) -> None:
    """FFmpeg's own decoder, asked directly, is the oracle."""
    content, marked = write(tmp_path / name, CLIP, *KINDS[name]).read_bytes(), 0
    for seed in range(12):
        chance, damaged = random.Random(seed), bytearray(content)
        damaged[chance.randrange(len(content) // 4, 3 * len(content) // 4)] ^= 1 << chance.randrange(8)
        (tmp_path / name).write_bytes(damaged)
        try:
            with av.open(tmp_path / name) as container:
                corrupt = any(frame.is_corrupt for frame in container.decode(video=0))
        except av.FFmpegError:
            corrupt = True
        marked += corrupt
        if corrupt:
            with pytest.raises(UserError):
                read(tmp_path / name)
    assert marked


def remuxed(source: Path, target: Path, change: Callable[[av.Packet], bool], **options: str) -> Path:
    """The packets of a video in a new file, as `change` leaves them; it says which stay."""
    with av.open(source) as old, av.open(target, "w", options=options) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        for packet in old.demux(old.streams.video[0]):
            if packet.size and change(packet):
                packet.stream = stream
                new.mux(packet)
    return target


def test_an_mp4_that_was_cut_with_copy_is_what_players_show(tmp_path: Path) -> None:
    """As `ffmpeg -ss 0.24 -c copy` makes it: packets before the start are there, an edit list hides them."""
    source = write(tmp_path / "s.mp4", CLIP, "libx264", "yuv420p", options={"g": "12", "bf": "0"})

    def earlier(packet: av.Packet) -> bool:
        shift = int(Fraction(6, 25) / packet.time_base)
        packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
        return True

    cut = remuxed(source, tmp_path / "a.mp4", earlier, avoid_negative_ts="disabled")
    with av.open(cut) as container:
        assert container.streams.video[0].frames == 24
    np.testing.assert_array_equal(read(cut)[0], read(source)[0][6:])


@pytest.mark.parametrize("dropped", [(5, 11, 12), (21, 22, 23), (1,)])
def test_an_avi_with_dropped_frames_is_read_and_the_gap_is_told(dropped: tuple[int, ...], tmp_path: Path) -> None:
    source, count = write(tmp_path / "s.avi", CLIP, "mjpeg", "yuvj420p"), iter(range(99))
    cut = remuxed(source, tmp_path / "a.avi", lambda _: next(count) not in dropped)
    found, lines = read(cut)
    np.testing.assert_array_equal(found, np.delete(read(source)[0], dropped, axis=0))
    told = [line for line in lines if "ms apart, not 40" in line]
    assert len(told) == (dropped[-1] < 23)
    assert all(f"frames {dropped[0]} and {dropped[0] + 1} are 80 ms apart" in line for line in told)


def test_a_header_that_counts_one_frame_too_many_is_no_truncation(tmp_path: Path) -> None:
    path = write(tmp_path / "a.avi", CLIP, "mjpeg", "yuvj420p")
    content = bytearray(path.read_bytes())
    for place in (content.index(b"avih") + 24, content.index(b"strh") + 40):  # dwTotalFrames, dwLength
        assert int.from_bytes(content[place : place + 4], "little") == 24
        content[place] = 25
    path.write_bytes(content)
    assert len(read(path)[0]) == 24


@pytest.mark.parametrize("tail", [b"junk" * 99, bytes(500), b"\0"])
@pytest.mark.parametrize("name", ["a.mp4", "a.avi", "a.mov", "a.gif"])
def test_what_follows_a_whole_video_is_no_reason_to_refuse_it(name: str, tail: bytes, tmp_path: Path) -> None:
    path = write(tmp_path / name, CLIP, *KINDS[name])
    path.write_bytes(path.read_bytes() + tail)
    assert len(read(path)[0]) == 24


def test_fragments_without_their_index_may_be_fewer_than_there_were_and_that_is_said(tmp_path: Path) -> None:
    muxer = {"movflags": "frag_keyframe+empty_moov"}
    path = write(tmp_path / "a.mp4", CLIP, *KINDS["a.mp4"], muxer=muxer, options={"g": "6"})
    assert read(path)[1] == []
    content = path.read_bytes()
    cuts = [place - 4 for place in range(len(content)) if content[place : place + 4] == b"moof"]
    path.write_bytes(content[: cuts[-1]])
    found, lines = read(path)
    assert len(found) < 24
    assert lines == [f"{path}: nothing in the file says where it ends; {len(found)} frames were read"]


def test_sound_that_is_longer_than_the_pictures_is_no_truncation(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(path, "w") as container:
        stream, sound = container.add_stream("libx264", rate=25), container.add_stream("pcm_s16le", rate=8000)
        stream.height, stream.width, stream.pix_fmt, sound.layout = 48, 64, "yuv420p", "mono"
        for picture in CLIP:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 16000), np.int16), format="s16", layout="mono")
        silence.sample_rate = 8000
        container.mux(sound.encode(silence))
        container.mux(sound.encode())
    assert len(read(path)[0]) == 24


@pytest.mark.parametrize("pattern", [(1, 4), (1, 1, 1, 6), (1, 1, 2)])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_a_variable_frame_rate_is_refused_and_not_read_as_even(name: str, pattern: tuple, tmp_path: Path) -> None:
    steps = np.resize(pattern, 23)
    path = write(tmp_path / name, CLIP, *KINDS[name], pts=np.cumsum([0, *steps]).tolist())
    if np.mean(steps != 1) <= 0.25:
        assert any("ms apart, not 40" in line for line in read(path)[1])
        return
    with pytest.raises(UserError, match=rf"{name}: a variable frame rate: .*convert it to a constant rate"):
        read(path)


def test_times_that_are_rounded_to_milliseconds_are_even(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    with av.open(path, "w") as container:
        stream = container.add_stream("ffv1", rate=Fraction(240))
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        for picture in CLIP:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    assert read(path)[1] == []


@pytest.mark.parametrize("turn", [90, 180, 270])
@pytest.mark.parametrize("name", ["a.mp4", "a.mov"])
def test_a_phone_s_video_is_upright(name: str, turn: int, tmp_path: Path) -> None:
    """FFmpeg counts against the clock: a video to be shown turned by +90 has its top on its right."""
    upright = read(write(tmp_path / f"s{name}", CLIP, *KINDS[name]))[0]
    turned = read(write(tmp_path / name, CLIP, *KINDS[name], rotation=turn))[0]
    with av.open(tmp_path / name) as container:
        assert next(container.decode(video=0)).rotation % 360 == turn
    np.testing.assert_array_equal(turned, np.rot90(upright, turn // 90, axes=(1, 2)))


@pytest.mark.parametrize(
    ("pixel", "shape"), [(Fraction(2), (48, 128)), (Fraction(1, 2), (96, 64)), (Fraction(16, 15), (48, 68))]
)
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.mpg"])
def test_pixels_that_are_not_square_are_made_so(name: str, pixel: Fraction, shape: tuple, tmp_path: Path) -> None:
    codec, form = KINDS[name]
    if name == "a.mpg":
        pixel, shape = Fraction(16, 9) / Fraction(4, 3), (48, 85)  # MPEG-2 knows 16:9 alone
    found = read(write(tmp_path / name, CLIP, codec, form, sample_aspect_ratio=pixel))[0]
    coded = read(write(tmp_path / f"s{name}", CLIP, codec, form))[0]
    assert found.shape[1:3] == shape
    for one, other in zip(found, coded, strict=True):
        stretched = 255 * resize(other, (*shape, 3), order=1)
        assert np.abs(one - stretched).mean() < 8


CLEAR = np.zeros((4, 16, 16, 4), np.uint8)
CLEAR[..., 0] = 200  # red, hidden where it is transparent: the lower half
CLEAR[:, :8, :, 3] = 255


@pytest.mark.parametrize("ground", [0, 255, 100])
@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.mov", "qtrle", "argb"),
        ("b.mov", "png", "rgba"),
        ("a.mkv", "ffv1", "bgra"),
        ("a.webm", "libvpx-vp9", "yuva420p"),
    ],
)
def test_transparent_pixels_show_the_ground(name: str, codec: str, pixels: str, ground: int, tmp_path: Path) -> None:
    found = read(write(tmp_path / name, CLEAR, codec, pixels, form="rgba"), Look(ground))[0].astype(int)
    assert np.abs(found[:, :6] - (200, 0, 0)).max() <= 6
    assert np.abs(found[:, 10:] - ground).max() <= 6


def test_a_gif_with_transparent_pixels_shows_the_ground(tmp_path: Path) -> None:
    from PIL import Image

    frames = [Image.fromarray(np.roll(picture, k, 1)) for k, picture in enumerate(CLEAR)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:], duration=40, disposal=2)
    found = read(tmp_path / "a.gif", Look(77))[0]
    assert np.all(found[0, 10:] == 77)
    assert np.all(found[0, :6] == (200, 0, 0))


def test_ten_and_sixteen_bit_videos_keep_their_levels(tmp_path: Path) -> None:
    levels = np.random.default_rng(0).integers(0, 2**16, (4, 16, 16), np.uint16)
    levels[..., 0] = 2**16 - 1
    deep = read(write(tmp_path / "a.mkv", levels, "ffv1", "gray16le", form="gray16le"))[0]
    np.testing.assert_array_equal(deep, np.repeat(levels[..., None], 3, -1))
    ten = read(write(tmp_path / "b.mkv", levels >> 6, "ffv1", "gray10le", form="gray10le"))[0]
    np.testing.assert_allclose(ten[..., 0] / 65535, (levels >> 6) / 1023, atol=0.002)


def test_a_video_of_twelve_bits_in_sixteen_asks_for_the_setting(tmp_path: Path) -> None:
    levels = np.random.default_rng(0).integers(0, 2**12, (4, 16, 16), np.uint16)
    path = write(tmp_path / "a.mkv", levels, "ffv1", "gray16le", form="gray16le")
    with pytest.raises(
        UserError, match=r"a\.mkv: pictures of 16 bits whose highest level is 40\d\d of 65535.*bits: 12"
    ):
        read(path)
    found = read(path, Look(bits=12))[0]
    np.testing.assert_allclose(found[..., 0] / 65535, levels / 4095, atol=1e-5)


def test_a_cover_picture_is_not_the_video(tmp_path: Path) -> None:
    from av.stream import Disposition

    with av.open(tmp_path / "a.mp4", "w") as container:
        cover, stream = container.add_stream("mjpeg", rate=1), container.add_stream("libx264", rate=25)
        cover.height, cover.width, cover.pix_fmt, cover.disposition = 32, 32, "yuvj420p", Disposition.attached_pic
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        packets = [stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")) for picture in CLIP]
        container.mux(cover.encode(av.VideoFrame.from_ndarray(CLIP[0, :32, :32].copy(), format="rgb24")))
        container.mux([packet for some in (*packets, stream.encode()) for packet in some])
    with av.open(tmp_path / "a.mp4") as container:
        assert any(stream.disposition & Disposition.attached_pic for stream in container.streams.video)
    assert read(tmp_path / "a.mp4")[0].shape == CLIP.shape


def test_a_pipe_called_video_is_refused_and_not_waited_on(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "a.avi")
    with pytest.raises(UserError, match=r"a\.avi: no regular file"):
        read(tmp_path / "a.avi")

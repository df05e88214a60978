"""Files that nobody has vouched for: what is a video is read to the byte, what is not is refused with its name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from movies import moving_square, write_pictures, write_video
from PIL import Image

from pipeline.clips import limits, stills
from pipeline.clips.levels import Look, Picture
from pipeline.clips.listing import Clip, find_clips
from pipeline.clips.read import read_clip
from pipeline.errors import UserError

CLIP = moving_square(6)


def all_of(pictures: Iterator[Picture]) -> np.ndarray:
    return np.stack(list(pictures))


def read_video(path: Path) -> np.ndarray:
    return all_of(read_clip(Clip(path.name, path), Look(), lambda line: None))


def read_pictures(folder: Path) -> np.ndarray:
    (clip,) = find_clips(folder, lambda line: None)
    return all_of(read_clip(clip, Look(), lambda line: None))


def read_strip(path: Path) -> np.ndarray:
    return all_of(stills.read_strip(path))


def test_a_raw_video_comes_back_to_the_byte(tmp_path: Path) -> None:
    np.testing.assert_array_equal(read_video(write_video(tmp_path / "a.avi", CLIP)), CLIP)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_other_containers_and_codecs_are_read_too(name: str, tmp_path: Path) -> None:
    found = read_video(write_video(tmp_path / name, CLIP, "mpeg4", "yuv420p"))
    assert found.shape == CLIP.shape
    assert np.abs(found.astype(int) - CLIP).mean() < 12


def test_a_truncated_video_is_refused_and_not_taken_for_a_shorter_one(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", CLIP)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match=r"a\.avi: (truncated|cannot be decoded)"):
        read_video(path)


@pytest.mark.parametrize("content", [b"", b"not a video", b"RIFF\x10\0\0\0AVI ", Path(__file__).read_bytes()])
def test_what_is_no_video_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.avi").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.avi: (cannot be decoded as a video|truncated)"):
        read_video(tmp_path / "a.avi")


def test_a_video_of_an_unknown_codec_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "a.avi", CLIP, "mpeg4", "yuv420p")
    path.write_bytes(path.read_bytes().replace(b"FMP4", b"QQQQ"))
    with pytest.raises(UserError, match=r"a\.avi: "):
        read_video(path)


def test_a_video_without_frames_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"a\.avi: "):
        read_video(write_video(tmp_path / "a.avi", CLIP[:0]))


def test_a_missing_video_is_told_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"gone\.avi: cannot be decoded as a video \(No such file"):
        read_video(tmp_path / "gone.avi")


@pytest.mark.parametrize("limit", ["MAX_PIXELS", "MAX_FRAMES"])
def test_a_video_beyond_the_limits_is_refused_before_it_fills_the_memory(
    limit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_video(tmp_path / "a.avi", CLIP)
    monkeypatch.setattr(limits, limit, 5)
    with pytest.raises(UserError, match="too much for one clip"):
        read_video(path)


def test_pictures_are_ordered_by_number_not_by_letter(tmp_path: Path) -> None:
    clip = moving_square(12)
    np.testing.assert_array_equal(read_pictures(write_pictures(tmp_path / "clip", clip)), clip)


def test_grey_and_transparent_pictures_become_rgb(tmp_path: Path) -> None:
    Image.fromarray(CLIP[0]).convert("L").save(tmp_path / "0.png")
    Image.fromarray(CLIP[1]).convert("RGBA").save(tmp_path / "1.png")
    found = read_pictures(tmp_path)
    assert np.ptp(found[0], axis=-1).max() == 0
    np.testing.assert_array_equal(found[1], CLIP[1])


def test_pictures_that_differ_in_size_are_told_by_name(tmp_path: Path) -> None:
    write_pictures(tmp_path, CLIP[:2])
    Image.fromarray(CLIP[2, :20]).save(tmp_path / "frame_2.png")
    with pytest.raises(UserError, match=r"frame_2\.png: 40x20, but frame_0\.png is 40x24: sizes must be equal"):
        read_pictures(tmp_path)


@pytest.mark.parametrize("content", [b"", b"no picture", b"GIF89a"])
def test_what_is_no_picture_is_refused_by_name(content: bytes, tmp_path: Path) -> None:
    write_pictures(tmp_path, CLIP[:2])
    (tmp_path / "frame_9.png").write_bytes(content)
    with pytest.raises(UserError, match=r"frame_9\.png: cannot be read as a picture"):
        read_pictures(tmp_path)


def test_a_truncated_picture_is_refused(tmp_path: Path) -> None:
    path = write_pictures(tmp_path, CLIP[:1]) / "frame_0.png"
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(UserError, match=r"frame_0\.png: cannot be read as a picture"):
        read_pictures(tmp_path)


def test_a_strip_is_cut_into_its_squares(tmp_path: Path) -> None:
    clip = moving_square(5, 64, 64)
    Image.fromarray(np.concatenate(list(clip), axis=1)).convert("RGBA").save(tmp_path / "strip.png")
    np.testing.assert_array_equal(read_strip(tmp_path / "strip.png"), clip)


def test_a_picture_that_is_no_row_of_squares_is_no_strip(tmp_path: Path) -> None:
    Image.fromarray(CLIP[0]).save(tmp_path / "strip.png")
    with pytest.raises(UserError, match="40x24 is no row of squares"):
        read_strip(tmp_path / "strip.png")

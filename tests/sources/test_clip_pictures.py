"""Pictures at their depth, upright, opaque; libraries that wrote them are the oracles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import tifffile
from movies import moving_square, write_pictures
from PIL import Image, ImageOps

from pipeline.clips.levels import Look
from pipeline.clips.listing import find_clips
from pipeline.clips.read import read_clip
from pipeline.errors import UserError

RNG = np.random.default_rng(0)
EIGHT = RNG.integers(0, 256, (9, 7, 3), np.uint8)
DEEP = RNG.integers(0, 2**16, (9, 7, 3), np.uint16)
DEEP[0, 0] = 2**16 - 1


def read(folder: Path, look: Look = Look()) -> tuple[np.ndarray, list[str]]:  # noqa: B008
    """The pictures of a folder, and the lines that are told of them."""
    lines: list[str] = []
    (clip,) = find_clips(folder, lines.append)
    return np.stack(list(read_clip(clip, look, lines.append))), lines


def png16(path: Path, picture: np.ndarray, form: str) -> None:
    """A PNG of 16 bits, as Pillow cannot write it in colour."""
    with av.open(path, "w", format="image2") as container:
        stream = container.add_stream("png")
        stream.height, stream.width, stream.pix_fmt = *picture.shape[:2], form
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format=form)))
        container.mux(stream.encode())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", ["png", "jpg", "tiff", "webp"])
def test_pictures_are_upright_as_pillow_turns_them(suffix: str, orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    smooth = np.add.outer(np.arange(0, 160, 10), np.arange(0, 80, 10)).astype(np.uint8)  # JPEG keeps it
    Image.fromarray(smooth).convert("RGB").save(
        tmp_path / f"1.{suffix}", exif=exif, **({"lossless": True} if suffix == "webp" else {})
    )
    with Image.open(tmp_path / f"1.{suffix}") as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    np.testing.assert_array_equal(read(tmp_path)[0][0], expected)
    assert expected.shape == ((16, 8, 3) if orientation < 5 else (8, 16, 3))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_sixteen_bit_tiffs_are_upright_too(orientation: int, tmp_path: Path) -> None:
    deep, exif = 257 * EIGHT.astype(np.uint16), Image.Exif()
    exif[0x0112] = orientation
    for name in ("deep", "plain"):
        (tmp_path / name).mkdir()
    turn = [(274, "H", 1, orientation, True)]
    tifffile.imwrite(tmp_path / "deep" / "1.tif", deep, photometric="rgb", extratags=turn)
    Image.fromarray(EIGHT).save(tmp_path / "plain" / "1.png", exif=exif)
    expected = 257 * read(tmp_path / "plain")[0].astype(int)
    np.testing.assert_array_equal(read(tmp_path / "deep")[0], expected)


WRITERS: dict[str, Callable[[Path], object]] = {
    "grey PNG": lambda folder: Image.fromarray(DEEP[..., 0]).save(folder / "1.png"),
    "RGB PNG": lambda folder: png16(folder / "1.png", DEEP, "rgb48be"),
    "grey TIFF": lambda folder: Image.fromarray(DEEP[..., 0]).save(folder / "1.tif"),
    "RGB TIFF": lambda folder: tifffile.imwrite(folder / "1.tif", DEEP, photometric="rgb"),
    "big-endian TIFF": lambda folder: tifffile.imwrite(folder / "1.tif", DEEP, photometric="rgb", byteorder=">"),
    "packed TIFF": lambda folder: tifffile.imwrite(
        folder / "1.tif", DEEP, photometric="rgb", compression="zlib", predictor=True
    ),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_sixteen_bits_are_read_to_the_last(kind: str, tmp_path: Path) -> None:
    WRITERS[kind](tmp_path)
    expected = np.repeat(DEEP[..., :1], 3, -1) if "grey" in kind else DEEP
    np.testing.assert_array_equal(read(tmp_path)[0][0], expected)


@pytest.mark.parametrize("bits", [10, 12, 14])
def test_fewer_bits_in_sixteen_ask_for_the_setting_and_are_scaled_by_it(bits: int, tmp_path: Path) -> None:
    levels = (DEEP >> (16 - bits))[..., 0]
    Image.fromarray(levels).save(tmp_path / "1.png")
    with pytest.raises(UserError, match=rf"highest level is {levels.max()} of 65535: nearly black; .*such as bits: 12"):
        read(tmp_path)
    found = read(tmp_path, Look(bits=bits))[0]
    np.testing.assert_allclose(found[0, ..., 0] / 65535, levels / (2**bits - 1), atol=1e-5)
    assert read(tmp_path, Look(bits=16))[0].max() == levels.max()


def test_levels_beyond_the_setting_are_refused(tmp_path: Path) -> None:
    Image.fromarray(DEEP[..., 0]).save(tmp_path / "1.png")
    with pytest.raises(UserError, match="a level of 65535; bits: 12 ends at 4095"):
        read(tmp_path, Look(bits=12))


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint32, np.int16, np.int32])
def test_levels_that_are_neither_of_8_nor_of_16_bits_are_refused(dtype: type, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "1.tif", np.ones((8, 8), dtype))
    with pytest.raises(UserError, match=r"1\.tif: cannot be read as a picture"):
        read(tmp_path)


def test_white_that_is_zero_is_refused_or_turned_never_taken_for_black(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "1.tif", DEEP[..., 0], photometric="miniswhite")
    with pytest.raises(UserError, match="black at zero"):
        read(tmp_path)
    tifffile.imwrite(tmp_path / "1.tif", EIGHT[..., 0], photometric="miniswhite")
    np.testing.assert_array_equal(read(tmp_path)[0][0, ..., 0], 255 - EIGHT[..., 0])


def clear(alpha: np.ndarray) -> np.ndarray:
    return np.concatenate([EIGHT, alpha[..., None]], -1)


@pytest.mark.parametrize("ground", [0, 255, 100])
@pytest.mark.parametrize("suffix", ["png", "tiff", "webp"])
def test_transparent_pixels_are_composited_on_the_ground(suffix: str, ground: int, tmp_path: Path) -> None:
    alpha = RNG.integers(0, 256, EIGHT.shape[:2], np.uint8)
    alpha[:2], alpha[2:4] = 0, 255
    lossless = {"lossless": True, "exact": True} if suffix == "webp" else {}
    Image.fromarray(clear(alpha)).save(tmp_path / f"1.{suffix}", **lossless)
    cover = alpha[..., None] / 255
    found = read(tmp_path, Look(ground))[0][0]
    np.testing.assert_allclose(found, EIGHT * cover + ground * (1 - cover), atol=0.51)
    np.testing.assert_array_equal(found[:2], np.full_like(found[:2], ground))


def test_a_colour_that_is_declared_transparent_shows_the_ground(tmp_path: Path) -> None:
    Image.fromarray(EIGHT).save(tmp_path / "1.png", transparency=tuple(int(value) for value in EIGHT[3, 3]))
    found = read(tmp_path, Look(99))[0][0]
    assert found[3, 3].tolist() == [99, 99, 99]
    np.testing.assert_array_equal(found[4:], EIGHT[4:])


def test_sixteen_bit_transparency_is_composited_too(tmp_path: Path) -> None:
    cover = np.full((9, 7, 1), 2**16 - 1, np.uint16)
    cover[:3] = 0
    png16(tmp_path / "1.png", np.concatenate([DEEP, cover], -1), "rgba64be")
    found = read(tmp_path, Look(100))[0][0]
    assert np.all(found[:3] == 100 * 257)
    np.testing.assert_array_equal(found[3:], DEEP[3:])


@pytest.mark.parametrize("count", [2, 63, 64])
def test_few_levels_are_told(count: int, tmp_path: Path) -> None:
    Image.fromarray(np.resize(np.arange(count, dtype=np.uint8), (16, 16))).save(tmp_path / "1.png")
    told = [f"{tmp_path}: only {count} distinct levels"] if count < 64 else []
    assert read(tmp_path)[1] == told


@pytest.mark.parametrize("suffix", ["png", "webp", "tiff"])
def test_several_pictures_in_a_file_are_refused_not_the_first_taken(suffix: str, tmp_path: Path) -> None:
    first, second = (Image.fromarray(picture) for picture in moving_square(2))
    first.save(tmp_path / f"1.{suffix}", save_all=True, append_images=[second])
    with pytest.raises(UserError, match=rf"1\.{suffix}: .*2 pictures in one file"):
        read(tmp_path)


def test_a_flipped_bit_in_a_png_is_noticed_by_its_checksum(tmp_path: Path) -> None:
    path = write_pictures(tmp_path, moving_square(1)) / "frame_0.png"
    for place in range(60, path.stat().st_size - 16, 97):
        content = bytearray(path.read_bytes())
        content[place] ^= 4
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"frame_0\.png: cannot be read as a picture"):
            read(tmp_path)
        content[place] ^= 4
        path.write_bytes(content)
    assert len(read(tmp_path)[0]) == 1

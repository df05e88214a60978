"""Images as frames, from arrays and files, and frames as a moving picture."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from manex.errors import ImageError
from manex.front.pictures import SIDE, frames_of, gif, save_gif

BYTES = np.random.default_rng(0).integers(0, 256, (20, 20), np.uint8)
GREY = (1, 20, 20)


def written(folder: Path, pixels: np.ndarray, mode: str | None = None) -> Path:
    file = folder / "picture.png"
    Image.fromarray(pixels, mode).save(file)
    return file


@pytest.mark.parametrize("shape", [GREY, None])
def test_every_form_of_an_image_is_the_same_frame(shape: tuple[int, int, int] | None, tmp_path: Path) -> None:
    levels = BYTES / 255
    forms = (BYTES, BYTES[None], levels, levels.astype(np.float32)[None], torch.from_numpy(BYTES), torch.tensor(levels))
    frames = frames_of((*forms, written(tmp_path, BYTES), str(tmp_path / "picture.png")), shape)
    assert frames.dtype == torch.float32
    assert (frames - torch.tensor(levels)).abs().max() < 1e-6


def test_of_a_file_the_central_square_is_taken_in_the_denoisers_size(tmp_path: Path) -> None:
    wide = np.zeros((40, 60), np.uint8)
    wide[:, 10:50] = BYTES.repeat(2, 0).repeat(2, 1)
    frames = frames_of((written(tmp_path, wide),), GREY)
    assert (frames[0, 0] - torch.from_numpy(BYTES) / 255).abs().max() < 1e-6


def test_of_a_transparent_picture_black_shows_through(tmp_path: Path) -> None:
    rgba = np.full((20, 20, 4), 255, np.uint8)
    rgba[..., 3] = BYTES
    frames = frames_of((written(tmp_path, rgba),), GREY)
    assert (frames[0, 0] - torch.from_numpy(BYTES) / 255).abs().max() < 0.5 / 255


def test_a_picture_in_colour_gives_its_luminance_and_a_warning(tmp_path: Path) -> None:
    green = np.zeros((20, 20, 3), np.uint8)
    green[..., 1] = 255
    with pytest.warns(UserWarning, match="in colour, but the denoiser takes grey ones"):
        frames = frames_of((written(tmp_path, green),), GREY)
    assert frames.mean() == pytest.approx(0.7154, abs=1e-3)  # ITU-R BT.709
    assert frames_of((written(tmp_path, green),), (3, 20, 20)).mean((0, 2, 3)).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (np.zeros((28, 28)), "28 x 28 pixels, but the denoiser takes 20 x 20: resize it"),
        (np.zeros((3, 20, 20)), "3 channels, but the denoiser takes 1: take its grey levels, such as image.mean(0)"),
        (np.zeros((20, 20, 3)), "its channels must come first"),
        (np.zeros(400), "(height, width) or (channel, height, width) is needed"),
        (np.zeros((0, 0)), "is needed"),
        (np.zeros((20, 20), int), "int64: bytes (uint8) or floats in [0, 1] are needed"),
        (np.full((20, 20), 255.0), "values outside [0, 1]"),
        (np.full((20, 20), np.nan), "values outside [0, 1]"),
        ("missing.png", "missing.png: cannot be read as a picture"),
        (Path(__file__), "test_front_pictures.py: cannot be read as a picture"),
    ],
)
def test_an_image_that_does_not_fit_is_refused_with_what_to_do(image: Any, said: str) -> None:
    with pytest.raises(ImageError, match=re.escape(said)):
        frames_of((image,), GREY)


def test_a_grey_image_does_not_fit_a_denoiser_of_colours() -> None:
    with pytest.raises(ImageError, match="1 channels, but the denoiser takes 3: give one in colour"):
        frames_of((BYTES,), (3, 20, 20))


@pytest.mark.parametrize("others", [np.zeros((28, 20)), np.zeros((3, 20, 20))])
def test_images_that_differ_in_size_or_colour_make_no_batch(others: np.ndarray) -> None:
    with pytest.raises(ImageError, match=r"20 x 20 and 20 x 28 pixels|one image is grey"):
        frames_of((BYTES, others), None)


def test_pictures_of_16_bits_and_moving_ones_are_refused(tmp_path: Path) -> None:
    deep = written(tmp_path, BYTES.astype(np.uint16) * 256)
    moving = tmp_path / "moving.gif"
    moving.write_bytes(gif(torch.rand(2, 1, 8, 8)))
    for file in (deep, moving):
        with pytest.raises(ImageError, match="one picture of 8 bits a channel is needed"):
            frames_of((file,), GREY)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_moving_picture_shows_every_frame_magnified(channels: int) -> None:
    video = (torch.arange(4 * channels * 25) % 7 / 6).reshape(4, channels, 5, 5)
    with Image.open(io.BytesIO(gif(video))) as moving:
        assert moving.n_frames == 4
        for number, frame in enumerate(video):
            moving.seek(number)
            shown = np.asarray(moving.convert("RGB"))
            assert shown.shape[0] == SIDE
            middle = shown[SIDE // 10 :: SIDE // 5, SIDE // 10 :: SIDE // 5]
            assert abs(middle / 255 - frame.expand(3, 5, 5).permute(1, 2, 0).numpy()).max() < 0.02


@pytest.mark.parametrize(("name", "said"), [("a.mp4", "ends with .gif"), ("nowhere/a.gif", "no such folder")])
def test_a_moving_picture_needs_a_name_that_fits(name: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=said):
        save_gif(torch.rand(2, 1, 8, 8), tmp_path / name)

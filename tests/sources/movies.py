"""Small videos, pictures and archives, made on the spot."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image
from scipy.io import savemat

from manex.datasets.weizmann_names import PEOPLE

Pictures = np.ndarray


def moving_square(frames: int, height: int = 24, width: int = 40, side: int = 8) -> Pictures:
    """(frame, height, width, 3): a reddish square that moves one pixel per frame to the right, over grey noise."""
    noise = np.random.default_rng(0).integers(60, 70, (height, width, 3), np.uint8)
    pictures = np.repeat(noise[None], frames, 0)
    for index in range(frames):
        pictures[index, 6 : 6 + side, 2 + index : 2 + index + side] = (200, 50, 30)
    return pictures


def square_masks(frames: int, height: int = 24, width: int = 40, side: int = 8) -> np.ndarray:
    """Where the square is."""
    return (moving_square(frames, height, width, side)[..., 0] == 200).astype(np.uint8)


def write_video(path: Path, pictures: Pictures, codec: str = "rawvideo", pixels: str = "bgr24") -> Path:
    """As Weizmann's: raw, unless told otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=Fraction(25))
        stream.height, stream.width, stream.pix_fmt = *pictures.shape[1:3], pixels
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def write_pictures(folder: Path, pictures: Pictures, pattern: str = "frame_{}.png") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for index, picture in enumerate(pictures):
        Image.fromarray(picture).save(folder / pattern.format(index))
    return folder


def write_masks(path: Path, names: Sequence[str], frames: int) -> Path:
    """As classification_masks.mat: the frame comes last."""
    masks = {name: np.moveaxis(square_masks(frames), 0, -1) for name in names}
    savemat(path, {"original_masks": masks, "aligned_masks": masks})
    return path


def write_mirror(folder: Path, action: str, frames: int = 30, kind: str = "avi") -> Path:
    """A folder for MANEX_MIRROR with a clip of every person."""
    inside = folder / "weizmann"
    names = [f"{person}_{action}" for person in PEOPLE]
    if kind == "avi":
        for name in names:
            write_video(inside / "avi" / f"{name}.avi", moving_square(frames))
        write_masks(inside / "classification_masks.mat", names, frames)
    else:
        (inside / "rgb64_png").mkdir(parents=True)
        for name in names:
            clip = moving_square(frames, 64, 64)
            strip = Image.fromarray(np.concatenate(list(clip), axis=1)).convert("RGBA")
            strip.save(inside / "rgb64_png" / f"{name}.png")
    return folder


def write_archive(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path

"""The user's pictures as frames, for commands that walk from them or restore them."""

from __future__ import annotations

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from manex.datasets.dataset import Dataset
from manex.datasets.pictures import whole
from pipeline.clips.levels import Picture
from pipeline.clips.stills import read_picture
from pipeline.errors import UserError

Frame = Float[Tensor, "1 channel size size"]


def frame_of(path: Path, dataset: Dataset) -> Frame:
    """One picture as a frame of a dataset: its central square, resized.

    Raises:
        UserError: it cannot be read.
    """
    return _frame(read_picture(path), dataset.shape["channels"], dataset.shape["size"])


def frames_of(paths: tuple[Path, Path], channels: int, size: int) -> tuple[list[Frame], list[str]]:
    """Two pictures as frames, and a warning for each that loses its colours.

    Raises:
        UserError: one cannot be read, they differ in size, or both are the same.
    """
    pictures = [read_picture(path) for path in paths]
    sizes = [f"{picture.shape[1]} x {picture.shape[0]}" for picture in pictures]
    if sizes[0] != sizes[1]:
        told = " and ".join(f"{path} has {found} pixels" for path, found in zip(paths, sizes, strict=True))
        raise UserError(f"{told}: crop or resize them to one size")
    frames = [_frame(picture, channels, size) for picture in pictures]
    if torch.equal(*frames):
        raise UserError(f"{paths[0]} and {paths[1]} are the same image: a walk needs a motion to continue")
    lost = [path for path, picture in zip(paths, pictures, strict=True) if channels == 1 and _in_colour(picture)]
    return frames, [f"warning: {path} is in colour; the denoiser takes its grey levels" for path in lost]


def _in_colour(picture: Picture) -> bool:
    return bool((picture != picture[..., :1]).any())


def _frame(picture: Picture, channels: int, size: int) -> Frame:
    return torch.from_numpy(whole([picture], size, colour=channels == 3))


def output(path: Path, suffix: str) -> Path:
    """Where to write.

    Raises:
        UserError: no such folder, or another kind of file.
    """
    if path.suffix.lower() != suffix:
        raise UserError(f"{path}: a name that ends with {suffix} is needed")
    if not path.parent.is_dir():
        raise UserError(f"{path}: no such folder: {path.parent}")
    return path

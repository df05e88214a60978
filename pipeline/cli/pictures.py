"""The user's pictures as frames, for commands that walk from them or restore them."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from manex.datasets.dataset import Dataset
from manex.datasets.pictures import whole
from pipeline.clips.stills import read_picture
from pipeline.errors import UserError


def frame_of(path: Path, dataset: Dataset) -> Tensor:
    """One picture as a frame of a dataset, (1, channel, size, size): its central square, resized.

    Raises:
        UserError: it cannot be read.
    """
    picture = read_picture(path)
    channels, size = dataset.shape["channels"], dataset.shape["size"]
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

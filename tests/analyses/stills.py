"""Still images without structure, denoisers of them, and members of a family."""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch
from torch import Tensor

from manex.analyses.base import Pictures, Rows, Subject
from manex.analyses.members import Member
from manex.datasets.dataset import Dataset
from manex.denoisers.base import Denoiser
from manex.training.family import Subset

SIZE = 8


def dataset(count: int = 60, held_out: int = 20) -> Dataset:
    """Random images, each a clip of its own; every third is held out."""
    frames = torch.rand(count, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(7))
    videos = torch.empty(0, 3, 1, SIZE, SIZE)
    return Dataset(videos, frames, torch.arange(count), 3 * torch.arange(held_out))


class Scaled(Denoiser):
    """D(y) = c y + m."""

    def __init__(self, scale: float, mean: Tensor | float = 0.0) -> None:
        super().__init__()
        self.scale, self.mean = scale, mean
        self.eval()

    def forward(self, noisy: Tensor, sigma: Any) -> Tensor:
        return self.scale * noisy + self.mean


def subject(denoiser: Denoiser, name: str = "some") -> Subject:
    return Subject(name, name, denoiser, 0.0)


def member(name: str, denoiser: Denoiser, **subset: Any) -> Member:
    return Member(name, name, denoiser, 0.0, subset=Subset(**subset))


def tables(parts: Any) -> dict[str, pd.DataFrame]:
    """The tables of an analysis."""
    found: dict[str, list[pd.DataFrame]] = {}
    for part in parts:
        if isinstance(part, Rows):
            found.setdefault(part.table, []).append(pd.DataFrame(part.columns))
        else:
            assert isinstance(part, Pictures)
    return {name: pd.concat(rows, ignore_index=True) for name, rows in found.items()}

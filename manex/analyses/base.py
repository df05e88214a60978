"""What every analysis of denoisers shares.

An analysis is one file. It holds one subclass of `Analysis`, its settings, and a generator that has the file's name:

    def my_analysis(subjects, dataset, cfg) -> Iterator[Rows | Pictures]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from manex.denoisers.base import Denoiser
from manex.extrapolators.base import Walk
from manex.settings import Section


class Analysis(Section):
    """Base of the settings of all analyses.

    Attributes:
        on_videos: whether it looks at videos; it is then not run on still images.
    """

    on_videos: ClassVar[bool] = False


@dataclass(frozen=True)
class Subject:
    """A denoiser to be analysed.

    Attributes:
        name: of the walk that it belongs to.
        label: the denoiser's name in tables.
        sigma: the noise level of the walk, in grey levels.
        settings, frames: of the walk, for analyses that walk themselves.
    """

    name: str
    label: str
    denoiser: Denoiser
    sigma: float
    settings: Walk | None = None
    frames: int = 0

    @property
    def device(self) -> torch.device:
        """Where the denoiser computes; a closed form or function without tensors computes anywhere."""
        tensors = [*self.denoiser.parameters(), *self.denoiser.buffers()]
        return tensors[0].device if tensors else torch.device("cpu")


@dataclass(frozen=True)
class Rows:
    """Rows of a table, `TABLE.csv`: columns of equal length."""

    table: str
    columns: Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Pictures:
    """Tensors that a figure is drawn from, by name."""

    tensors: Mapping[str, Tensor]

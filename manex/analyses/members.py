"""Which frames a denoiser was trained on: members of a family as subjects, which know their part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from manex.analyses.base import Subject
from manex.arrays import Frames
from manex.datasets.dataset import Dataset
from manex.denoisers.base import Denoiser
from manex.training.family import Subset


@dataclass(frozen=True)
class Member(Subject):
    """A denoiser that was trained on a part of the training frames.

    Attributes:
        subset: the part.
    """

    subset: Subset = field(kw_only=True)

    @property
    def family(self) -> str:
        """The name of the family, of FAMILY/MEMBER."""
        return self.name.partition("/")[0]


def member(name: str, denoiser: Denoiser, subset: Mapping[str, Any]) -> Member:
    """FAMILY/MEMBER, with the part of the frames that its training noted."""
    return Member(name, name, denoiser, 0.0, subset=Subset.model_validate(subset))


def seen(subject: Subject, dataset: Dataset) -> Frames:
    """The frames that a subject was trained on, their pixels in order; all training frames unless it is a member."""
    frames = dataset.training_frames
    return frames[subject.subset.numbers(dataset.training_clip)] if isinstance(subject, Member) else frames


def part_of(subject: Subject) -> str:
    """Which half of the training frames a subject knows: `first` or `second`; `all` unless it is a member."""
    return subject.subset.part if isinstance(subject, Member) else "all"


def spread(frames: Frames, count: int) -> Float[Tensor, "count channel height width"]:
    """`count` frames, evenly spread in their order; some of them several times where there are fewer."""
    return frames[torch.linspace(0, len(frames) - 1, count, dtype=torch.float64).round().long()]

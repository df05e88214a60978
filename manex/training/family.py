"""A family: one network trained on several parts of the frames, one after the other, each with its own weights."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Int
from pydantic import Field, model_validator
from torch import Tensor

from manex.arrays import Frames
from manex.datasets.dataset import Dataset
from manex.denoisers.permuted import pixel_order, shuffled
from manex.noises.base import Noise
from manex.settings import Name, Section
from manex.training.objective import HeldOut
from manex.training.settings import Trainable, TrainingSettings


class Subset(Section):
    """A part of the training frames, cut down in the order of these settings; 0 keeps all."""

    videos: int = Field(0, ge=0, description="the first clips")
    per_video: int = Field(0, ge=0, description="frames kept of each clip, evenly spread; fewer where it has fewer")
    part: Literal["all", "first", "second"] = Field("all", description="a half of what is left; the two are disjoint")
    count: int = Field(0, ge=0, description="the first frames of it")
    shuffle: int | None = Field(None, ge=0, description="seed of a permutation of the pixels; undone in the denoiser")
    steps: int = Field(0, ge=0, description="budget of this member; 0: that of the base")

    def frames(self, dataset: Dataset) -> tuple[Frames, HeldOut]:
        """What a member is trained on, and what it is scored on: the held-out frames, shuffled alike.

        Raises:
            ValueError: fewer frames than asked for, or none.
        """
        parts = (dataset.training_frames[self.numbers(dataset.training_clip)], dataset.held_out_frames)
        if self.shuffle is None:
            return parts
        order = pixel_order(self.shuffle, parts[0][0, 0].numel())
        return shuffled(parts[0], order), shuffled(parts[1], order)

    def numbers(self, clip: Int[Tensor, " n"]) -> Int[Tensor, " kept"]:
        """Which training frames are kept.

        Args:
            clip: of each training frame.

        Raises:
            ValueError: fewer frames than asked for, or none.
        """
        kept = torch.arange(len(clip))
        if self.videos:
            kept = kept[clip < self.videos]
        if self.per_video:
            kept = torch.cat([_spread(kept[clip[kept] == one], self.per_video) for one in clip[kept].unique()])
        half = len(kept) // 2
        kept = {"all": kept, "first": kept[:half], "second": kept[half:]}[self.part]
        if len(kept) < max(1, self.count):
            raise ValueError(f"count: {self.count} of {len(kept)} frames")
        return kept[: self.count] if self.count else kept


class FamilyTraining(Trainable):
    """One network on several parts of the frames."""

    base: TrainingSettings = Field(description="the training that every member repeats on its part")
    members: dict[Name, Subset] = Field(min_length=1, description="walks and analyses name them FAMILY/MEMBER")

    @model_validator(mode="after")
    def _fits(self) -> FamilyTraining:
        if self.base.ordered:
            raise ValueError("base: a family is trained on shuffled frames, not on ordered clips")
        shuffles = any(member.shuffle is not None for member in self.members.values())
        noise = getattr(self.base, "noise", None)
        if shuffles and not (isinstance(noise, Noise) and noise.is_white):
            raise ValueError("members: shuffle: the base must be a denoiser of white noise, which keeps its law")
        return self


def _spread(numbers: Int[Tensor, " n"], count: int) -> Int[Tensor, " kept"]:
    """At most `count` of them, evenly."""
    count = min(count, len(numbers))
    return numbers[torch.linspace(0, len(numbers) - 1, count, dtype=torch.float64).round().long()]

"""Ordered clips: which frames follow one another, and which of them may be trained on."""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from jaxtyping import Bool, Int
from torch import Tensor

from manex.datasets.dataset import Order

GIVEN = 2
"""Number of given frames at the beginning of a clip, as in an extrapolation."""


@dataclass(frozen=True)
class Clips:
    """Windows over longer clips. The two given frames of each are training frames.

    Attributes:
        rows: as in `Order`, where a frame is `present`.
        present: whether there is such a frame, which there is not beyond the end of a clip.
    """

    rows: Int[Tensor, "clip frame"]
    present: Bool[Tensor, "clip frame"]

    @classmethod
    def of(cls, order: Order, length: int, least: int) -> Clips:
        """All windows of `length` frames whose first `least` lie within their clip.

        Raises:
            ValueError: the clips are too short, or no window begins with two training frames.
        """
        longest = order[1].shape[1]
        if least > longest:
            raise ValueError(f"no {least} frames in a row: the longest clip has {longest}")
        rows, present = (F.pad(part, (0, length - least)).unfold(1, length, 1).flatten(0, 1) for part in order)
        begun = present[:, :least].all(1) & (rows[:, :GIVEN] >= 0).all(1)
        if not begun.any():
            raise ValueError(f"no {length} frames in a row begin with {GIVEN} that are not held out")
        return cls(rows[begun], present[begun])

    @property
    def seen(self) -> Bool[Tensor, "clip frame"]:
        """Where a frame may be trained on."""
        return self.present & (self.rows >= 0)

    @property
    def held_out(self) -> Bool[Tensor, "clip frame"]:
        """Where a frame is held out."""
        return self.present & (self.rows < 0)

    def where(self, chosen: Bool[Tensor, " clip"]) -> Clips:
        """Some of the windows."""
        return Clips(self.rows[chosen], self.present[chosen])


def needed(order: Order | None, network: str) -> Order:
    """The order of the frames, which a training on clips needs.

    Raises:
        ValueError: it is not known.
    """
    if order is None:
        raise ValueError(f"{network} is trained on ordered clips: it needs to know which frames follow one another")
    return order

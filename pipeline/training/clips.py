"""Ordered clips: which frames follow one another, and which of them may be trained on."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Int
from torch import Tensor

GIVEN = 2
"""Frames a clip begins with, as an extrapolation does."""

Order = Int[Tensor, "video frame"]
"""Of every frame of every video its row among the training frames; -1 - row, among the held-out ones."""


@dataclass(frozen=True)
class Clips:
    """Windows over videos. The two given frames of each are training frames.

    Attributes:
        rows: as in `Order`, where a frame is `present`.
        present: whether there is such a frame, which there is not beyond the end of a video.
    """

    rows: Int[Tensor, "clip frame"]
    present: Bool[Tensor, "clip frame"]

    @classmethod
    def of(cls, order: Order, length: int, least: int) -> Clips:
        """All windows of `length` frames whose first `least` lie within their video.

        Raises:
            ValueError: the videos are too short, or no window begins with two training frames.
        """
        if least > order.shape[1]:
            raise ValueError(f"no {least} frames in a row: the videos have {order.shape[1]}")
        beyond = length - least
        windows = [
            F.pad(values, (0, beyond), value=0).unfold(1, length, 1).flatten(0, 1)
            for values in (order, torch.ones_like(order))
        ]
        rows, present = windows[0], windows[1] == 1
        begun = (rows[:, :GIVEN] >= 0).all(1)
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
        """Some of them."""
        return Clips(self.rows[chosen], self.present[chosen])

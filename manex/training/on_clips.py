"""What objectives on ordered clips share: which frames are trained on, and how predictions are scored."""

from __future__ import annotations

from typing import Generic

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from manex.arrays import Frames
from manex.metrics.psnr import decibels
from manex.training.clips import GIVEN, Clips
from manex.training.objective import Cfg, HeldOut, Objective

SCORED = 64
"""The largest number of clips on which predictions are scored."""


class OnClips(Objective, Generic[Cfg]):
    """An objective on ordered clips: only frames that are `seen` are trained on; held-out frames are for scores."""

    def __init__(self, cfg: Cfg, frames: Frames, held_out: HeldOut, clips: Clips) -> None:
        self.cfg, self.clips = cfg, clips
        self.frames, self.held_out = frames, held_out

    def at(self, rows: Int[Tensor, "*rows"]) -> Float[Tensor, "*rows channel height width"]:
        """Training frames, by their rows."""
        return self.frames[rows.to(self.frames.device)]

    def error(self, predicted: Float[Tensor, "clip frame ..."], clips: Clips, held_out: bool) -> float:
        """PSNR of predictions of all frames but the given ones, over the held-out or over the training frames."""
        of_interest = (clips.held_out if held_out else clips.seen)[:, GIVEN:]
        rows = clips.rows[:, GIVEN:][of_interest]
        truth = self.held_out[(-1 - rows).to(self.frames.device)] if held_out else self.at(rows)
        return decibels((predicted[of_interest.to(predicted.device)] - truth).square().mean())

    def parts(self) -> list[tuple[str, bool]]:
        """The names of the sets of frames that are scored, and whether each is held out."""
        return [*([("held_out", True)] if self.clips.held_out.any() else []), ("train", False)]


def some(clips: Clips, chosen: Bool[Tensor, " clip"] | None) -> Clips:
    """The chosen clips, or `SCORED` of them, evenly spread, if there are more."""
    kept = clips if chosen is None else clips.where(chosen)
    every = torch.zeros(len(kept.rows), dtype=torch.bool)
    every[:: -(-len(every) // SCORED)] = True
    return kept.where(every)

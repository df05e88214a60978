"""What plug-and-play methods share: noisy measurements, and the step towards them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor

from manex.arrays import Frames
from manex.measurements.base import Measurement
from manex.samplers.base import SampleState
from manex.settings import GreyLevel, Section


@dataclass(frozen=True, eq=False)
class Problem:
    """Images behind their noisy measurements c = R u + e, e ~ N(0, noise^2 I).

    Attributes:
        measurement: R.
        values: c, one row per image.
        noise: of the measurements, in grey levels.
    """

    measurement: Measurement
    values: Float[Tensor, "batch measured"]
    noise: float

    def gap(self, frames: Frames) -> Frames:
        """R^T (c - R u): the way to images that measure c."""
        return self.measurement.lift(self.values - self.measurement.measure(frames))

    def proximal(self, frames: Frames, sigma: float) -> Frames:
        """argmin over x of |x - u|^2 / sigma^2 + |c - R x|^2 / noise^2."""
        return frames + sigma**2 / (sigma**2 + self.noise**2) * self.gap(frames)


class PlugAndPlay(Section):
    """A number of steps with a denoiser as the prior."""

    sigma: GreyLevel = Field(15 / 255, description="noise level at which the denoiser is asked")
    steps: PositiveInt = Field(60, description="calls of the denoiser")


@torch.no_grad()
def repeated(
    step: Callable[[Frames], tuple[Frames, Frames]], start: Frames, steps: int, sigma: float
) -> Iterator[SampleState]:
    """States of a fixed number of steps; a step takes a frame to the next one and to what the denoiser saw.

    An image with a value beyond 10 has left all images: it is kept as it was, and marked.
    """
    frame, clean = start, start
    diverged = torch.zeros(len(start), dtype=torch.bool, device=start.device)
    for t in range(1, steps + 1):
        then, seen = step(frame)
        diverged = diverged | ~(then.flatten(1).abs().amax(1) <= 10)
        kept = diverged[:, None, None, None]
        frame, clean = torch.where(kept, frame, then), torch.where(kept, clean, seen)
        going = ~diverged & (t < steps)
        yield SampleState(frame, clean, start.new_full((len(start),), sigma), going, diverged)

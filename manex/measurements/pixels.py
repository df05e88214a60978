"""A random share of the pixels."""

from __future__ import annotations

from typing import Annotated

import torch
from pydantic import Field, NonNegativeInt
from torch import Generator

from manex.measurements.base import Measured, Measurement

Share = Annotated[float, Field(gt=0, le=1)]


class Pixels(Measured):
    """How many pixels, and which."""

    share: Share = Field(0.3, description="of the pixels that are seen")
    seed: NonNegativeInt = Field(0, description="of the draw")


def pixels(cfg: Pixels, shape: tuple[int, int, int]) -> Measurement:
    """One row per seen pixel and channel; at least one pixel is seen."""
    places = shape[1] * shape[2]
    count = max(1, round(cfg.share * places))
    seen = torch.randperm(places, generator=Generator().manual_seed(cfg.seed))[:count].sort().values
    rows = torch.cat([seen + channel * places for channel in range(shape[0])])
    return Measurement(torch.eye(shape[0] * places, dtype=torch.float64)[rows], shape)

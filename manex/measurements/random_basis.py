"""Random projections, as in compressive sensing."""

from __future__ import annotations

import torch
from pydantic import Field, NonNegativeInt
from torch import Generator

from manex.measurements.base import Measured, Measurement
from manex.measurements.pixels import Share


class RandomBasis(Measured):
    """How many projections, and which."""

    share: Share = Field(0.25, description="of the dimensions that are measured")
    seed: NonNegativeInt = Field(0, description="of the draw")


def random_basis(cfg: RandomBasis, shape: tuple[int, int, int]) -> Measurement:
    """Rows that span a space of uniformly drawn direction; at least one."""
    size = shape[0] * shape[1] * shape[2]
    generator = Generator().manual_seed(cfg.seed)
    drawn = torch.randn(size, max(1, round(cfg.share * size)), generator=generator, dtype=torch.float64)
    return Measurement(torch.linalg.qr(drawn).Q.T.contiguous(), shape)

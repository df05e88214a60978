"""Means of square blocks: raising the resolution again is called super-resolution."""

from __future__ import annotations

import torch
from pydantic import Field

from manex.measurements.base import Measured, Measurement


class Blocks(Measured):
    """The size of a block."""

    size: int = Field(4, ge=2, description="side of a block, in pixels")


def blocks(cfg: Blocks, shape: tuple[int, int, int]) -> Measurement:
    """One row per block and channel: its sum over `size`, which is `size` times its mean.

    Raises:
        ValueError: blocks do not tile the image.
    """
    channels, height, width = shape
    if height % cfg.size or width % cfg.size:
        raise ValueError(f"blocks of {cfg.size} pixels do not tile {height} x {width} pixels; take a divisor of both")
    index = torch.arange(channels * height * width).reshape(shape)
    tiles = index.unfold(1, cfg.size, cfg.size).unfold(2, cfg.size, cfg.size).reshape(-1, cfg.size**2)
    rows = torch.zeros(len(tiles), index.numel(), dtype=torch.float64)
    return Measurement(rows.scatter_(1, tiles, 1 / cfg.size), shape)

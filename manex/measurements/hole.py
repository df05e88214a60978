"""All pixels but those of a rectangle: filling it in is called inpainting."""

from __future__ import annotations

import torch
from pydantic import Field, NonNegativeInt, PositiveInt

from manex.measurements.base import Measured, Measurement


class Hole(Measured):
    """A rectangle, in pixels.

    Example:
        >>> from manex import Hole
        >>> Hole(top=2, left=2, height=4, width=4).height
        4
    """

    top: NonNegativeInt = Field(description="first row of the hole")
    left: NonNegativeInt = Field(description="first column")
    height: PositiveInt = Field(description="rows")
    width: PositiveInt = Field(description="columns")


def hole(cfg: Hole, shape: tuple[int, int, int]) -> Measurement:
    """One row per pixel outside the hole and channel.

    Raises:
        ValueError: the hole leaves the image, or nothing is left of the image.

    Example:
        >>> from manex import Hole, hole
        >>> hole(Hole(top=2, left=2, height=4, width=4), (1, 8, 8)).rows.shape
        torch.Size([48, 64])
    """
    bottom, right = cfg.top + cfg.height, cfg.left + cfg.width
    if bottom > shape[1] or right > shape[2]:
        raise ValueError(f"the hole ends at row {bottom}, column {right}; the image has {shape[1]} x {shape[2]} pixels")
    seen = torch.ones(shape, dtype=torch.bool)
    seen[:, cfg.top : bottom, cfg.left : right] = False
    if not seen.any():
        raise ValueError("the hole leaves nothing of the image to start from")
    return Measurement(torch.eye(seen.numel(), dtype=torch.float64)[seen.flatten()], shape)

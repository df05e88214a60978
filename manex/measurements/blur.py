"""A Gaussian blur, without what it wipes out."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field, PositiveFloat
from scipy.ndimage import gaussian_filter  # type: ignore[attr-defined] # named at run time only
from torch import Tensor

from manex.measurements.base import Measured, Measurement, orthonormal


class Blur(Measured):
    """The width of the blur."""

    sd: PositiveFloat = Field(1.5, description="standard deviation of the Gaussian, in pixels")


def blur(cfg: Blur, shape: tuple[int, int, int]) -> Measurement:
    """One row per singular vector of the blur that keeps a hundredth of the best one's contrast."""
    return orthonormal(blur_matrix(cfg, shape), shape)[0]


def blur_matrix(cfg: Blur, shape: tuple[int, int, int]) -> Float[Tensor, "pixel pixel"]:
    """A of the blurred image A u, black outside."""
    size = shape[0] * shape[1] * shape[2]
    impulses = np.eye(size).reshape(size, *shape)
    blurred = gaussian_filter(impulses, sigma=(0, 0, cfg.sd, cfg.sd), mode="constant")
    return torch.from_numpy(blurred.reshape(size, size).T.copy())

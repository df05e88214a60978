"""A Gaussian process with a squared-exponential kernel, cut off in frequency (Daras et al. 2024, section 3.1)."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field
from scipy.special import wofz
from torch import Tensor

from manex.arrays import Frames
from manex.noises.base import Noise

CUT = 2.0
"""Standard deviations at which the kernel's spectrum ends, along each axis."""


class GaussianProcess(Noise):
    """S_ij = k(x_i - x_j) k(y_i - y_j), k(d) = E[cos(w d)], w ~ N(0, 1 / length^2) cut off at |w| = 2 / length.

    Cut off along each axis and not by |w|: a disc of frequencies leaves the corners of the Nyquist square empty, and S
    cannot be inverted. S is a Kronecker product of one matrix per axis, and so are its roots.
    """

    length: float = Field(
        2 / math.pi,
        gt=0,
        le=2 / math.pi,
        description="in pixels; 2 / pi: the spectrum ends at the Nyquist frequency, and neighbours correlate by 0.34; "
        "a longer one would leave short waves without noise, and S without an inverse",
    )

    def colour(self, white: Frames) -> Frames:
        """S^(1/2) v."""
        return self._along_both(white, 0.5)

    def whiten(self, coloured: Frames) -> Frames:
        """S^(-1/2) v."""
        return self._along_both(coloured, -0.5)

    def _along_both(self, frames: Frames, power: float) -> Frames:
        rows, columns = (_power(self.length, n, power, frames.dtype, frames.device) for n in frames.shape[-2:])
        return rows @ frames @ columns


def kernel(distance: Float[np.ndarray, "*d"], length: float) -> Float[np.ndarray, "*d"]:
    """k(d): the characteristic function of a normal variable cut off at `CUT` standard deviations.

    exp(-x^2 / 2) Re erf((CUT + i x) / sqrt(2)) / erf(CUT / sqrt(2)) with x = d / length, by Faddeeva's function, which
    does not overflow.
    """
    x = np.asarray(distance, np.float64) / length
    tail = np.exp(-(CUT**2) / 2 - 1j * CUT * x) * wofz((-x + 1j * CUT) / math.sqrt(2))
    values: Float[np.ndarray, "*d"] = (np.exp(-(x**2) / 2) - tail.real) / math.erf(CUT / math.sqrt(2))
    return values


@lru_cache(maxsize=32)
def _power(
    length: float, size: int, power: float, dtype: torch.dtype, device: torch.device
) -> Float[Tensor, "size size"]:
    """A symmetric power of the covariance of one line of pixels."""
    place = np.arange(size)
    covariance = torch.from_numpy(kernel(np.abs(place[:, None] - place).astype(np.float64), length))
    values, vectors = torch.linalg.eigh(covariance)
    root: Tensor = vectors * values**power @ vectors.mT
    return root.to(device, dtype)

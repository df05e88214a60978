"""The lowest frequencies of the cosine transform."""

from __future__ import annotations

import numpy as np
import torch
from pydantic import Field
from scipy.fft import dctn

from manex.measurements.base import Measured, Measurement
from manex.measurements.pixels import Share


class Lowpass(Measured):
    """How many frequencies."""

    share: Share = Field(0.1, description="of the frequencies that are measured, the lowest first")


def lowpass(cfg: Lowpass, shape: tuple[int, int, int]) -> Measurement:
    """One row per frequency and channel: a product of two cosines; at least the mean is measured.

    A mask on a Fourier transform, as in the code of Kadkhodaie and Simoncelli (2021), has no orthonormal real rows.
    """
    channels, height, width = shape
    places = height * width
    waves = dctn(np.eye(places).reshape(places, height, width), axes=(1, 2), norm="ortho").reshape(places, places).T
    down, across = np.meshgrid(np.arange(height) / height, np.arange(width) / width, indexing="ij")
    lowest = np.argsort((down**2 + across**2).flatten(), kind="stable")[: max(1, round(cfg.share * places))]
    return Measurement(torch.kron(torch.eye(channels, dtype=torch.float64), torch.from_numpy(waves[lowest])), shape)

"""The laws that the tests run through, and dense covariances by other means than the library's."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.integrate import quad
from torch import Tensor

from manex.noises.base import Noise
from manex.noises.free_field import FreeField
from manex.noises.gaussian_process import GaussianProcess
from manex.noises.white import White

COLOURED = [FreeField(gamma=0.5), FreeField(gamma=1), GaussianProcess(), GaussianProcess(length=0.4)]
LAWS: list[Noise] = [White(), FreeField(gamma=0), *COLOURED]


def name(law: Noise) -> str:
    return "-".join(map(str, law.model_dump().values()))


def dense(law: Noise, height: int, width: int) -> Tensor:
    """S of one channel, by its definition: a sum over frequencies, or an integral over a cut-off normal density."""
    y, x = np.divmod(np.arange(height * width), width)
    down, across = y[:, None] - y, x[:, None] - x
    if isinstance(law, GaussianProcess):
        lags = {d: _characteristic(d / law.length) for d in range(max(height, width))}
        kernel = np.vectorize(lags.get, otypes=[float])
        return torch.from_numpy(kernel(abs(down)) * kernel(abs(across)))
    if law.is_white:
        return torch.eye(height * width, dtype=torch.float64)
    assert isinstance(law, FreeField)
    total, power = np.zeros(down.shape), 0.0
    for i in range(height):
        for j in range(width):
            k = math.hypot(min(i, height - i), min(j, width - j)) or 1.0
            total += k ** (-2 * law.gamma) * np.cos(2 * np.pi * (i * down / height + j * across / width))
            power += k ** (-2 * law.gamma)
    return torch.from_numpy(total / power)


def _characteristic(x: float) -> float:
    density = lambda w: math.exp(-w * w / 2)  # noqa: E731
    return quad(lambda w: density(w) * math.cos(w * x), -2, 2, limit=500)[0] / quad(density, -2, 2)[0]

"""A denoiser known exactly, that of a Gaussian, and the probability-flow ODE that belongs to it."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from manex.denoisers.wiener import Wiener


def gaussian(generator: Generator) -> Wiener:
    return Wiener(0.5 + 0.2 * torch.randn(300, 1, 4, 4, generator=generator, dtype=torch.float64))


def flowed(prior: Wiener, start: Tensor, now: float, then: float) -> Tensor:
    """dy/dsigma = sigma (C + sigma^2 I)^-1 (y - m) solved: y' = m + ((C + sigma'^2) / (C + sigma^2))^(1/2) (y - m)."""
    gains = ((prior.variances + then**2) / (prior.variances + now**2)).sqrt()
    codes = (start - prior.mean).flatten(1) @ prior.axes.T
    return prior.mean + (codes * gains @ prior.axes).reshape(start.shape)

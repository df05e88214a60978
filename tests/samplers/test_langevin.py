"""Langevin dynamics on a Gaussian, whose stationary law has a closed form."""

from __future__ import annotations

import pytest
import torch
from gaussian import gaussian
from torch import Generator

from manex.denoisers.wiener import Wiener
from manex.noises.draws import ItemNoise
from manex.noises.free_field import FreeField
from manex.samplers.base import last
from manex.samplers.langevin import Langevin, langevin


@pytest.mark.parametrize("sigma", [0.1, 0.5])
def test_on_a_gaussian_the_variance_settles_where_the_length_of_the_steps_puts_it(
    sigma: float, generator: Generator
) -> None:
    prior = gaussian(generator)
    start, noise = prior.mean.expand(4000, -1, -1, -1), ItemNoise([(item,) for item in range(4000)])
    end = last(langevin(prior, start, Langevin(sigma=sigma, steps=60), noise))
    codes = (end.frame - prior.mean).flatten(1) @ prior.axes.T
    blurred = prior.variances + sigma**2
    expected = blurred / (1 - sigma**2 / (4 * blurred))
    torch.testing.assert_close(codes.var(0), expected, rtol=0.12, atol=0)
    assert not end.diverged.any()


def test_noise_of_the_denoisers_law_gives_the_same_in_whitened_images(generator: Generator) -> None:
    law, frames = FreeField(gamma=0.5), 0.2 * torch.randn(60, 1, 8, 8, generator=generator, dtype=torch.float64)
    coloured, white = Wiener(frames, law), Wiener(law.whiten(frames))
    keys = [(item,) for item in range(3)]
    end = last(langevin(coloured, frames[:3], Langevin(steps=20), ItemNoise(keys, law)))
    other = last(langevin(white, law.whiten(frames[:3]), Langevin(steps=20), ItemNoise(keys)))
    torch.testing.assert_close(law.whiten(end.frame), other.frame)

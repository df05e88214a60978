"""InDI on a Gaussian, where the gain of any number of steps is a product, and as DDIM."""

from __future__ import annotations

import math

import pytest
import torch
from gaussian import gaussian
from torch import Generator, Tensor

from manex.denoisers.base import Denoiser
from manex.denoisers.mixture import DiracMixture
from manex.samplers.base import last
from manex.samplers.ddim import ddim
from manex.samplers.indi import InDI, indi


class Normal(Denoiser):
    """Exact for pixels of N(0, 1)."""

    def forward(self, noisy: Tensor, sigma: float) -> Tensor:
        return noisy / (1 + sigma**2)


@pytest.mark.parametrize(("steps", "gain"), [(1, 0.671), (2, 0.744), (5, 0.789), (20, 0.812)])
def test_on_a_gaussian_a_pixel_is_scaled_by_the_product_of_its_gains(steps: int, gain: float) -> None:
    product = math.prod((1 / i) / (1 + (0.7 * i / steps) ** 2) + 1 - 1 / i for i in range(1, steps + 1))
    found = last(indi(Normal(), torch.ones(1, 1, 2, 2, dtype=torch.float64), InDI(sigma=0.7, steps=steps)))
    assert found.frame.flatten().tolist() == pytest.approx([product] * 4, rel=1e-12)
    assert product == pytest.approx(gain, abs=0.005)


def test_many_steps_give_back_the_variance_of_the_images() -> None:
    found = last(indi(Normal(), torch.ones(1, 1, 1, 1, dtype=torch.float64), InDI(sigma=0.7, steps=3000)))
    assert float(found.frame) ** 2 * (1 + 0.7**2) == pytest.approx(1, abs=1e-3)


def test_it_is_ddim_with_even_levels(generator: Generator) -> None:
    prior, start = gaussian(generator), torch.rand(3, 1, 4, 4, generator=generator, dtype=torch.float64)
    found = last(indi(prior, start, InDI(sigma=0.5, steps=8)))
    torch.testing.assert_close(found.frame, ddim(prior, start, torch.linspace(0.5, 0, 9).double().tolist()))


def test_of_a_finite_set_it_ends_on_an_image(generator: Generator) -> None:
    images = torch.rand(5, 1, 8, 8, generator=generator, dtype=torch.float64)
    start = images[:2].mean(0, keepdim=True) + torch.randn(4, 1, 8, 8, generator=generator, dtype=torch.float64)
    found = last(indi(DiracMixture(images), start, InDI(sigma=1.0, steps=50))).clean
    assert torch.cdist(found.flatten(1), images.flatten(1)).amin(1).max() < 1e-3

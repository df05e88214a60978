"""DDIM on the denoiser of a Gaussian, whose probability-flow ODE has a closed form."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from gaussian import flowed, gaussian
from torch import Generator

from manex.samplers.ddim import DDIM, ddim, levels


def errors(steps: list[int], up: bool, generator: Generator) -> list[float]:
    """Relative errors of DDIM, one per number of steps."""
    prior, start = gaussian(generator), 0.5 + 0.2 * torch.randn(3, 1, 4, 4, generator=generator, dtype=torch.float64)
    found = []
    for count in steps:
        sigmas = levels(DDIM(steps=count, sigma_max=500 / 255, sigma_min=2 / 255))
        path = sigmas[::-1] if up else sigmas
        exact = flowed(prior, start, path[0], path[-1])
        found.append(float((ddim(prior, start, path) - exact).norm() / exact.norm()))
    return found


@pytest.mark.parametrize("up", [True, False])
def test_on_a_gaussian_it_follows_the_probability_flow_with_order_one(up: bool, generator: Generator) -> None:
    found = errors([200, 400, 800], up, generator)
    assert [coarse / fine for coarse, fine in pairwise(found)] == pytest.approx([2, 2], rel=0.1)
    assert found[-1] < 0.01


def test_up_and_down_again_is_the_identity_on_a_gaussian(generator: Generator) -> None:
    prior, start = gaussian(generator), 0.5 + 0.2 * torch.randn(3, 1, 4, 4, generator=generator, dtype=torch.float64)
    found = []
    for steps in (200, 400, 800):
        down = levels(DDIM(steps=steps, sigma_max=500 / 255, sigma_min=2 / 255))
        found.append(float((ddim(prior, ddim(prior, start, down[::-1]), down) - start).norm() / start.norm()))
    assert found[-1] < 0.02
    assert [coarse / fine for coarse, fine in pairwise(found)] == pytest.approx([2, 2], rel=0.1)


def test_where_the_denoiser_says_the_same_everywhere_one_step_is_exact(generator: Generator) -> None:
    mean, start = torch.rand(2, 3, 1, 4, 4, generator=generator, dtype=torch.float64)
    for sigmas in ([2.0, 0.5], [0.5, 2.0], [2.0, 1.1, 0.7, 0.5]):
        found = ddim(lambda noisy, sigma: mean, start, sigmas)
        torch.testing.assert_close(found, mean + sigmas[-1] / sigmas[0] * (start - mean), rtol=0, atol=1e-12)


def test_the_noise_levels_fall_from_the_largest_to_the_smallest() -> None:
    for steps in (1, 2, 20):
        found = levels(DDIM(steps=steps, sigma_max=510 / 255, sigma_min=51 / 255))
        assert len(found) == steps + 1
        assert (found[0], found[-1]) == (2, 0.2)
        assert found == sorted(found, reverse=True)

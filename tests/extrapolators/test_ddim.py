"""DDIM on denoisers known exactly: of a Gaussian, whose probability-flow ODE has a closed form, and of a circle."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from circle import Broken, oracle, point
from torch import Generator, Tensor, nn

from pipeline.config.rivals import DDIM, DDIMLatent
from manex.denoisers.network import NetworkDenoiser
from manex.denoisers.wiener import Wiener
from manex.extrapolators.base import ItemNoise, WalkError
from manex.extrapolators.ddim_latent import continued, ddim, levels
from manex.extrapolators.walk import walk

LATENT = DDIMLatent(algorithm="ddim_latent", frames=4, steps=40, denoiser="oracle")


def gaussian(generator: Generator) -> Wiener:
    return Wiener(0.5 + 0.2 * torch.randn(300, 1, 4, 4, generator=generator, dtype=torch.float64))


def flowed(prior: Wiener, start: Tensor, now: float, then: float) -> Tensor:
    """dy/dsigma = sigma (C + sigma^2 I)^-1 (y - m) solved: y' = m + ((C + sigma'^2) / (C + sigma^2))^(1/2) (y - m)."""
    gains = ((prior.variances + then**2) / (prior.variances + now**2)).sqrt()
    codes = (start - prior.mean).flatten(1) @ prior.axes.T
    return prior.mean + (codes * gains @ prior.axes).reshape(start.shape)


def errors(steps: list[int], up: bool, generator: Generator) -> list[float]:
    """Of the way between the ends, by DDIM in so many steps."""
    prior, start = gaussian(generator), 0.5 + 0.2 * torch.randn(3, 1, 4, 4, generator=generator, dtype=torch.float64)
    found = []
    for count in steps:
        sigmas = levels(DDIM(steps=count, sigma_max_255=500, sigma_min_255=2))
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
        down = levels(DDIM(steps=steps, sigma_max_255=500, sigma_min_255=2))
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
        found = levels(DDIM(steps=steps, sigma_max_255=510, sigma_min_255=51))
        assert len(found) == steps + 1
        assert (found[0], found[-1]) == (2, 0.2)
        assert found == sorted(found, reverse=True)


def test_a_straight_line_and_a_great_circle_are_continued_exactly(generator: Generator) -> None:
    a, b = torch.randn(2, 3, 1, 4, 4, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(continued(a, a + b, 2.5, "linear"), a + 3.5 * b)
    ahead = a / a.flatten(1).norm(dim=1).reshape(-1, 1, 1, 1)
    beside = b - (b * ahead).sum((1, 2, 3), keepdim=True) * ahead
    beside = beside / beside.flatten(1).norm(dim=1).reshape(-1, 1, 1, 1)

    def turned(angle: float) -> Tensor:
        return 3 * (torch.tensor(angle).double().cos() * ahead + torch.tensor(angle).double().sin() * beside)

    torch.testing.assert_close(continued(turned(0.2), turned(0.5), 2.5, "spherical"), turned(1.25))


def test_a_latent_walk_on_a_gaussian_goes_straight_on(generator: Generator) -> None:
    """A Gaussian's flow is linear, so is what it does to a straight line; the last step goes on to noise level zero."""
    prior = gaussian(generator)
    first, second = (0.5 + 0.02 * torch.randn(2, 2, 1, 4, 4, generator=generator, dtype=torch.float64)).unbind()
    cfg = DDIMLatent(algorithm="ddim_latent", frames=3, steps=3000, sigma_max_255=300, sigma_min_255=1, speed=0.7)
    for step, state in enumerate(walk(cfg, prior, first, second, ItemNoise([(0, 0), (0, 1)])), 1):
        line = second + 0.7 * step * (second - first)
        expected = flowed(prior, line, 1 / 255, 0)
        torch.testing.assert_close(state.frame, expected.clamp(0, 1), rtol=0, atol=2e-3)


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_a_video_walks_alone_as_it_walks_in_company_and_without_chance(path: str) -> None:
    cfg, starts = LATENT.model_copy(update={"path": path}), torch.tensor([0.3, 2.0, 4.0], dtype=torch.float64)

    def walked(items: list[int], seed: int) -> Tensor:
        noise = ItemNoise([(seed, item) for item in items])
        states = walk(cfg, oracle(), point(starts[items]), point(starts[items] + 0.2), noise)
        return torch.stack([state.frame for state in states], 1)

    together = walked([0, 1, 2], 0)
    assert together.shape == (3, 4, 1, 4, 4)
    assert torch.equal(together, walked([0, 1, 2], 7))
    for item in range(3):
        torch.testing.assert_close(walked([item], 0)[0], together[item], rtol=0, atol=1e-8)


def test_a_blind_denoiser_is_told() -> None:
    blind = NetworkDenoiser(nn.Conv2d(1, 1, 1).double().eval())
    with pytest.raises(WalkError, match="this one is blind"):
        list(walk(LATENT, blind, point(0.3), point(0.5), ItemNoise([(0, 0)])))


def test_a_denoiser_that_gives_no_numbers_ends_the_walk_with_a_message() -> None:
    with pytest.raises(WalkError, match="the denoiser returned"):
        list(walk(LATENT, Broken().eval(), point(0.3), point(0.5), ItemNoise([(0, 0)])))


def test_two_frames_without_a_velocity_are_told() -> None:
    with pytest.raises(WalkError, match="identical"):
        list(walk(LATENT, oracle(), point(0.3), point(0.3), ItemNoise([(0, 0)])))

"""Latent walks on denoisers known exactly: of a Gaussian, whose flow has a closed form, and of a circle."""

from __future__ import annotations

from itertools import islice

import pytest
import torch
from circle import Broken, oracle, point
from gaussian import flowed, gaussian
from torch import Generator, Tensor, nn

from manex.denoisers.network import NetworkDenoiser
from manex.errors import WalkError
from manex.extrapolators.ddim_latent import DDIMLatent, continued
from manex.extrapolators.walk import walk
from manex.noises.draws import ItemNoise

LATENT = DDIMLatent(steps=40)


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
    cfg = DDIMLatent(steps=3000, sigma_max=300 / 255, sigma_min=1 / 255, speed=0.7)
    states = walk(cfg, prior, first, second, ItemNoise([(0, 0), (0, 1)]))
    for step, state in enumerate(islice(states, 3), 1):
        line = second + 0.7 * step * (second - first)
        expected = flowed(prior, line, 1 / 255, 0)
        torch.testing.assert_close(state.frame, expected.clamp(0, 1), rtol=0, atol=2e-3)


@pytest.mark.parametrize("path", ["linear", "spherical"])
def test_a_video_walks_alone_as_it_walks_in_company_and_without_chance(path: str) -> None:
    cfg, starts = LATENT.model_copy(update={"path": path}), torch.tensor([0.3, 2.0, 4.0], dtype=torch.float64)

    def walked(items: list[int], seed: int) -> Tensor:
        noise = ItemNoise([(seed, item) for item in items])
        states = walk(cfg, oracle(), point(starts[items]), point(starts[items] + 0.2), noise)
        return torch.stack([state.frame for state in islice(states, 4)], 1)

    together = walked([0, 1, 2], 0)
    assert together.shape == (3, 4, 1, 4, 4)
    assert torch.equal(together, walked([0, 1, 2], 7))
    for item in range(3):
        torch.testing.assert_close(walked([item], 0)[0], together[item], rtol=0, atol=1e-8)


def test_a_blind_denoiser_is_refused() -> None:
    blind = NetworkDenoiser(nn.Conv2d(1, 1, 1).double().eval())
    with pytest.raises(WalkError, match="this one is blind"):
        next(walk(LATENT, blind, point(0.3), point(0.5), ItemNoise([(0, 0)])))


def test_a_denoiser_that_gives_no_numbers_ends_the_walk_with_a_message() -> None:
    with pytest.raises(WalkError, match="the denoiser returned"):
        next(walk(LATENT, Broken().eval(), point(0.3), point(0.5), ItemNoise([(0, 0)])))


def test_two_frames_without_a_velocity_are_refused() -> None:
    with pytest.raises(WalkError, match="identical"):
        next(walk(LATENT, oracle(), point(0.3), point(0.3), ItemNoise([(0, 0)])))

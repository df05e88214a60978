"""Ancestral sampling on priors for which its law has a closed form."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from gaussian import gaussian
from torch import Generator

from manex.denoisers.mixture import DiracMixture
from manex.noises.draws import ItemNoise
from manex.samplers.ancestral import Ancestral, ancestral
from manex.samplers.base import last
from manex.samplers.ddim import levels


def test_around_a_single_image_the_noise_has_the_level_of_the_schedule(generator: Generator) -> None:
    image = torch.rand(1, 1, 100, 100, generator=generator, dtype=torch.float64)
    cfg, noise = Ancestral(steps=8), ItemNoise([(0,)])
    states = ancestral(DiracMixture(image), image + cfg.sigma_max * noise.like(image), cfg, noise)
    for state, level in zip(states, levels(cfg)[1:], strict=True):
        assert (state.frame - image).square().mean().sqrt().item() == pytest.approx(level, rel=0.03)


def test_on_a_gaussian_the_variance_is_that_of_the_recursion_and_tends_to_the_priors(generator: Generator) -> None:
    prior, count = gaussian(generator), 3000
    known = prior.variances
    ends = []
    for steps in (5, 40):
        cfg, noise = Ancestral(steps=steps, sigma_max=2.0, sigma_min=0.01), ItemNoise([(i,) for i in range(count)])
        start = prior.mean.expand(count, -1, -1, -1)
        found = last(ancestral(prior, start + 2.0 * noise.like(start), cfg, noise))
        variance = torch.full_like(known, 4.0)
        for now, then in pairwise(levels(cfg)):
            share, gain = (then / now) ** 2, known / (known + now**2)
            variance = (gain + share * (1 - gain)) ** 2 * variance + then**2 * (1 - share)
        codes = (found.frame - prior.mean).flatten(1) @ prior.axes.T
        torch.testing.assert_close(codes.var(0), variance, rtol=0.13, atol=0)
        ends.append((variance / (known + 0.01**2) - 1).abs().max().item())
    assert ends[1] < ends[0] / 4


def test_an_items_way_does_not_depend_on_the_others(generator: Generator) -> None:
    frames = torch.rand(6, 1, 8, 8, generator=generator, dtype=torch.float64)
    start, cfg = 4 * torch.randn(3, 1, 8, 8, generator=generator, dtype=torch.float64), Ancestral(steps=5)
    together = last(ancestral(DiracMixture(frames), start, cfg, ItemNoise([(0,), (1,), (2,)])))
    alone = last(ancestral(DiracMixture(frames), start[1:2], cfg, ItemNoise([(1,)])))
    torch.testing.assert_close(alone.frame[0], together.frame[1])

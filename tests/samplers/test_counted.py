"""What a sampler costs."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from manex.denoisers.base import Denoiser
from manex.noises.draws import ItemNoise
from manex.samplers.counted import counted
from manex.samplers.langevin import Langevin, langevin
from manex.samplers.stochastic_ascent import StochasticAscent, stochastic_ascent


class Counting(Denoiser):
    """Halves images, and counts those it was asked about."""

    blind, asked = True, 0

    def forward(self, noisy: Tensor, sigma: float) -> Tensor:
        self.asked += len(noisy)
        return noisy / 2


def test_every_call_of_the_denoiser_is_counted_for_the_items_that_were_in_it(generator: Generator) -> None:
    start = torch.randn(3, 1, 8, 8, generator=generator) * torch.tensor([1.0, 0.3, 0.1])[:, None, None, None]
    noise, denoiser = ItemNoise([(item,) for item in range(3)]), Counting()
    _, calls = counted(stochastic_ascent(denoiser, start, StochasticAscent(h=0.1), noise))
    assert calls.sum() == denoiser.asked
    assert calls[0] > calls[1] > calls[2]
    _, calls = counted(langevin(denoiser, start, Langevin(steps=7), noise))
    assert calls.tolist() == [7, 7, 7]

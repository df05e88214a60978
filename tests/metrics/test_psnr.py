from __future__ import annotations

import math

import pytest
import torch
from torch import Generator, Tensor

from manex.denoisers.base import Denoiser
from manex.denoisers.mixture import DiracMixture
from manex.metrics.psnr import psnr


class Identity(Denoiser):
    def forward(self, noisy: Tensor, sigma: float) -> Tensor:
        return noisy


@pytest.mark.parametrize("sigma", [15 / 255, 25 / 255, 0.5])
@pytest.mark.parametrize("draws", [1, 3])
def test_doing_nothing_has_the_psnr_of_the_noise(sigma: float, draws: int) -> None:
    frames = torch.rand(300, 1, 10, 10)
    n = draws * frames.numel()
    decibels = 10 / math.log(10) * math.sqrt(2 / n)  # standard deviation of 10 log10 of a chi-square mean
    assert abs(psnr(Identity(), frames, sigma, draws) - -20 * math.log10(sigma)) < 4 * decibels


def test_the_noise_of_a_psnr_is_paired() -> None:
    frames = torch.rand(5, 1, 4, 4)
    assert psnr(Identity(), frames, 0.1) == psnr(Identity(), frames.clone(), 0.1)
    assert psnr(Identity(), frames, 0.1, seed=1) != psnr(Identity(), frames, 0.1)


def test_the_exact_denoiser_beats_doing_nothing(generator: Generator) -> None:
    frames = torch.rand(50, 1, 6, 6, generator=generator)
    assert psnr(DiracMixture(frames), frames, 0.3) > psnr(Identity(), frames, 0.3)

from __future__ import annotations

import math

import torch
from scipy import stats
from torch import Generator

from manex.noises.draws import ItemNoise, noise_like
from manex.noises.white import White

KEYS = [(0, 0), (0, 1), (7, 0)]


def test_noise_is_standard_normal_and_independent_between_pixels(generator: Generator) -> None:
    noise = noise_like(torch.zeros(2000, 1, 2, 2, dtype=torch.float64), generator).flatten(1)
    assert stats.kstest(noise.flatten().numpy(), "norm").pvalue > 0.01
    torch.testing.assert_close(noise.T.cov(), torch.eye(4).double(), rtol=0, atol=4 * math.sqrt(2 / 2000))


def test_an_items_noise_is_its_own_and_normal(generator: Generator) -> None:
    frames = torch.zeros(3, 1, 4, 4, dtype=torch.float64)
    alone, together = ItemNoise([(7, 0)]), ItemNoise(KEYS)
    for _ in range(3):
        assert torch.equal(alone.like(frames[:1])[0], together.like(frames)[2])
    draws = torch.stack([ItemNoise([(0, video)]).like(torch.zeros(1, 1, 8, 8)) for video in range(500)])
    assert abs(draws.mean().item()) < 4 / draws.numel() ** 0.5
    assert abs(draws.var().item() - 1) < 4 * (2 / draws.numel()) ** 0.5


def test_streams_of_different_seeds_and_videos_are_not_the_same() -> None:
    frame = torch.zeros(1, 1, 2, 2)
    streams = {
        tuple(ItemNoise([(seed, video)]).like(frame).flatten().tolist()) for seed in range(9) for video in range(9)
    }
    assert len(streams) == 81


def test_white_noise_is_what_the_generator_draws_bit_for_bit(generator: Generator) -> None:
    """It is the default law, and what all results before there were laws were made with."""
    frames = torch.zeros(3, 1, 4, 4)
    expected = torch.randn(3, 1, 4, 4, generator=Generator().manual_seed(5))
    for law in (White(), White()):
        assert torch.equal(noise_like(frames, Generator().manual_seed(5), law), expected)
    assert torch.equal(ItemNoise(KEYS).like(frames), ItemNoise(KEYS, White()).like(frames))
    assert White().colour(frames) is White().whiten(frames) is frames


def test_noise_is_as_precise_as_the_frames() -> None:
    for dtype in (torch.float32, torch.float64):
        assert ItemNoise([(0,)]).like(torch.zeros(1, 1, 2, 2, dtype=dtype)).dtype == dtype

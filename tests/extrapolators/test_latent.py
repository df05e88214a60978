from __future__ import annotations

from itertools import islice

import pytest
import torch
from torch import Tensor

from manex.extrapolators.latent import Latent
from manex.extrapolators.walk import walk
from manex.networks.vae import VAE
from manex.noises.draws import ItemNoise


class Flat(VAE):
    """An autoencoder whose latent is twice the frame: its manifold is a plane."""

    def encode(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        return 2 * frames.flatten(1), torch.zeros_like(frames.flatten(1))

    def decode(self, latents: Tensor) -> Tensor:
        return (latents / 2).reshape(-1, 1, 4, 4)


def frames(count: int) -> Tensor:
    """Dyadic numbers, on which sums are exact."""
    return torch.randint(0, 1024, (count, 1, 4, 4), generator=torch.Generator().manual_seed(7)).double() / 1024


def walked(vae: VAE, first: Tensor, second: Tensor, eta: float, seed: int = 0) -> list[Tensor]:
    cfg = Latent(eta=eta)
    states = walk(cfg, vae, first, second, ItemNoise([(seed, i) for i in range(len(first))]))
    return [state.frame for state in islice(states, 5)]


def test_an_arithmetic_progression_is_continued_exactly() -> None:
    first, second = frames(6).split(3)
    for step, frame in enumerate(walked(Flat(1, 4, 16), first, second, 1.0), 2):
        assert torch.equal(frame, first + step * (second - first))


@pytest.mark.parametrize("eta", [0.5, 0.25])
def test_with_eta_below_one_the_steps_shrink_geometrically(eta: float) -> None:
    first, second = frames(6).split(3)
    expected = second
    for step, frame in enumerate(walked(Flat(1, 4, 16), first, second, eta), 1):
        expected = expected + eta**step * (second - first)
        torch.testing.assert_close(frame, expected, rtol=0, atol=1e-12)


def test_nothing_about_it_is_random() -> None:
    torch.manual_seed(7)
    vae = VAE(1, 4, 3).double().eval()
    first, second = frames(6).split(3)
    for one, other in zip(*(walked(vae, first, second, 0.8, seed) for seed in (0, 1)), strict=True):
        assert torch.equal(one, other)

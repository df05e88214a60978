from __future__ import annotations

import pytest
import torch
from torch import Generator

from manex.networks.vae import VAE

WEIGHT = 0.3


@pytest.fixture
def vae() -> VAE:
    torch.manual_seed(7)
    return VAE(1, 20, 6).double().eval()


@pytest.fixture
def frames(generator: Generator) -> torch.Tensor:
    return torch.rand(3, 1, 20, 20, generator=generator, dtype=torch.float64)


def fixed_posterior(vae: VAE, mean: torch.Tensor, log_variance: torch.Tensor) -> VAE:
    """An encoder that says the same of every frame."""
    for layer, bias in ((vae.mean, mean), (vae.log_variance, log_variance)):
        torch.nn.init.zeros_(layer.weight)
        layer.bias.data.copy_(bias)
    return vae


def divergence(vae: VAE, frames: torch.Tensor) -> float:
    """What one unit of weight adds to the loss, with the same draw."""
    with_it, without = (vae.loss(frames, weight, Generator().manual_seed(0)).item() for weight in (WEIGHT, 0.0))
    return (with_it - without) / WEIGHT


@pytest.mark.parametrize("size", [16, 20, 33])
@pytest.mark.parametrize("channels", [1, 3])
def test_frames_become_latents_and_frames_again(size: int, channels: int) -> None:
    vae, frames = VAE(channels, size, 5).eval(), torch.rand(2, channels, size, size)
    mean, log_variance = vae.encode(frames)
    assert mean.shape == log_variance.shape == (2, 5)
    assert vae.decode(mean).shape == frames.shape


def test_decoded_frames_are_grey_levels_however_far_the_latent(vae: VAE, generator: Generator) -> None:
    frames = vae.decode(1e4 * torch.randn(8, 6, generator=generator, dtype=torch.float64))
    assert frames.min() >= 0
    assert frames.max() <= 1


def test_a_standard_normal_posterior_costs_nothing(vae: VAE, frames: torch.Tensor) -> None:
    zero = torch.zeros(6, dtype=torch.float64)
    assert divergence(fixed_posterior(vae, zero, zero), frames) == pytest.approx(0, abs=1e-12)


def test_any_other_posterior_costs_its_divergence_from_the_standard_normal(vae: VAE, frames: torch.Tensor) -> None:
    mean, log_variance = torch.linspace(-2, 2, 6).double(), torch.linspace(-3, 1, 6).double()
    posterior = torch.distributions.Normal(mean, (log_variance / 2).exp())
    standard = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    expected = torch.distributions.kl_divergence(posterior, standard).sum().item()
    assert divergence(fixed_posterior(vae, mean, log_variance), frames) == pytest.approx(expected)


def test_with_a_sharp_posterior_the_rest_of_the_loss_is_the_mean_squared_error(vae: VAE, frames: torch.Tensor) -> None:
    mean = torch.linspace(-2, 2, 6).double()
    vae = fixed_posterior(vae, mean, torch.full_like(mean, -200))
    expected = (vae.decode(mean.expand(3, 6)) - frames).square().mean().item()
    assert vae.loss(frames, 1e-30, Generator()).item() == pytest.approx(expected)


def test_a_frame_does_not_feel_the_others_in_its_batch(vae: VAE, frames: torch.Tensor) -> None:
    torch.testing.assert_close(vae.encode(frames)[0], torch.cat([vae.encode(one)[0] for one in frames.split(1)]))

"""A noise level may be one number per image: every image is then denoised as it would be alone."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor, nn

from manex.denoisers.base import Denoiser
from manex.denoisers.conditional import ConditionalDenoiser
from manex.denoisers.memoriser import Memoriser
from manex.denoisers.mixture import DiracMixture
from manex.denoisers.network import NetworkDenoiser
from manex.denoisers.non_local_means import NonLocalMeans
from manex.denoisers.oracle import Oracle
from manex.denoisers.tikhonov import Tikhonov
from manex.denoisers.total_variation import TotalVariation
from manex.denoisers.wavelet import Wavelet
from manex.denoisers.wiener import Wiener
from manex.geometry.products import Jacobian
from manex.networks.conditional import ConditionalUNet

LEVELS = (0.05, 0.2, 0.7)
FRAMES = torch.rand(12, 1, 8, 8, generator=Generator().manual_seed(2), dtype=torch.float64)


def conditional() -> ConditionalUNet:
    torch.manual_seed(3)
    network = ConditionalUNet(1, (4, 8)).double().eval()
    nn.init.normal_(network.unet.head.weight)
    return network


DENOISERS: dict[str, Denoiser] = {
    "mixture": DiracMixture(FRAMES),
    "mixture in chunks": DiracMixture(FRAMES, memory_limit=1),
    "memoriser": Memoriser(FRAMES),
    "oracle": Oracle(FRAMES),
    "wiener": Wiener(FRAMES),
    "tikhonov": Tikhonov(),
    "total variation": TotalVariation(),
    "wavelet": Wavelet(),
    "non-local means": NonLocalMeans(),
    "blind network": NetworkDenoiser(nn.Conv2d(1, 1, 3, padding=1).double().eval()),
    "conditional network": ConditionalDenoiser(conditional()),
}


@pytest.fixture
def noisy(generator: Generator) -> Tensor:
    return torch.rand(3, 1, 8, 8, generator=generator, dtype=torch.float64)


@pytest.fixture
def sigmas() -> Tensor:
    return torch.tensor(LEVELS, dtype=torch.float64).reshape(3, 1, 1, 1)


@pytest.mark.parametrize("name", DENOISERS)
def test_each_image_is_denoised_at_its_own_level(name: str, noisy: Tensor, sigmas: Tensor) -> None:
    denoiser = DENOISERS[name]
    alone = torch.cat([denoiser(image[None], level) for image, level in zip(noisy, LEVELS, strict=True)])
    torch.testing.assert_close(denoiser(noisy, sigmas), alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", DENOISERS)
def test_equal_levels_are_one_level(name: str, noisy: Tensor) -> None:
    denoiser, sigmas = DENOISERS[name], torch.full((3, 1, 1, 1), 0.2, dtype=torch.float64)
    torch.testing.assert_close(denoiser(noisy, sigmas), denoiser(noisy, 0.2), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["mixture", "mixture in chunks", "oracle", "wiener", "tikhonov"])
def test_each_image_has_the_jacobian_of_its_own_level(
    name: str, noisy: Tensor, sigmas: Tensor, generator: Generator
) -> None:
    denoiser = DENOISERS[name]
    vectors = torch.randn(3, 2, 1, 8, 8, generator=generator, dtype=torch.float64)
    alone = [
        Jacobian(denoiser.at(level), noisy[i : i + 1], "closed_form").jvp(vectors[i : i + 1])
        for i, level in enumerate(LEVELS)
    ]
    found = Jacobian(denoiser.at(sigmas), noisy, "closed_form").jvp(vectors)
    torch.testing.assert_close(found, torch.cat(alone), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", ["mixture", "wiener", "total variation", "non-local means"])
def test_a_level_of_zero_is_refused_for_any_image(name: str, noisy: Tensor, sigmas: Tensor) -> None:
    sigmas[1] = 0
    with pytest.raises(ValueError, match="above 0"):
        DENOISERS[name](noisy, sigmas)

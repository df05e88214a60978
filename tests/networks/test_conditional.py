from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from manex.networks.conditional import SPREAD, ConditionalUNet
from manex.training.diffusion import DiffusionTraining
from manex.training.mcvd import MCVDTraining
from manex.training.resunet import ResUNetTraining
from pipeline.config.params import load

ROOT = Path(__file__).parents[2]
PROFILES = sorted((ROOT / "profiles").glob("*.yaml"))


def linear(channels: int = 1, given: int = 0) -> ConditionalUNet:
    """Its UNet says nothing, so that the scaling is all there is."""
    network = ConditionalUNet(channels, (4, 8), given).double().eval()
    for weights in network.unet.head.parameters():
        torch.nn.init.zeros_(weights)
    return network


def sigmas(level: float, count: int) -> Tensor:
    return torch.full((count, 1, 1, 1), level, dtype=torch.float64)


def weights(network: torch.nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("level", [0.01, 0.25, 5.0])
def test_without_the_unet_it_is_the_wiener_denoiser_of_white_images_and_its_loss_is_one(
    level: float, generator: Generator
) -> None:
    clean, noise = torch.randn(2, 50, 1, 16, 16, generator=generator, dtype=torch.float64)
    noisy, prior = SPREAD * clean + level * noise, SPREAD**2
    torch.testing.assert_close(linear()(noisy, sigmas(level, 50)), prior / (prior + level**2) * noisy)
    loss = linear().loss(SPREAD * clean, noise, sigmas(level, 50)).item()
    assert loss == pytest.approx(1, abs=4 * (2 / clean.numel()) ** 0.5)


def test_what_is_almost_clean_stays_as_it_is(generator: Generator) -> None:
    torch.manual_seed(3)
    network, clean = ConditionalUNet(1, (4, 8)).double(), torch.rand(2, 1, 9, 9, generator=generator).double()
    torch.testing.assert_close(network(clean, sigmas(1e-9, 2)), clean, rtol=0, atol=1e-7)


def test_the_noise_level_and_the_given_frames_are_read(generator: Generator) -> None:
    torch.manual_seed(3)
    network = ConditionalUNet(1, (4, 8), given=2).double().eval()
    torch.nn.init.normal_(network.unet.head.weight)
    noisy, given = torch.rand(2, 1, 8, 8, generator=generator).double(), torch.rand(2, 2, 8, 8).double()
    read = [network.unet(torch.cat([noisy, level * torch.ones_like(noisy), given], 1)) for level in (0.1, 0.2)]
    assert (read[0] - read[1]).abs().amax() > 1e-3
    found = network(noisy, sigmas(0.5, 2), given), network(noisy, sigmas(0.5, 2), given.flip(1))
    assert (found[0] - found[1]).abs().amax() > 1e-3


def test_the_diffusion_model_is_as_large_as_our_denoiser() -> None:
    ours = ResUNetTraining(steps=1, learning_rate=1).build(1, 20)
    theirs = DiffusionTraining(steps=1, learning_rate=1).build(1, 20)
    assert weights(theirs) == pytest.approx(weights(ours), rel=1e-3)


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_video_diffusion_is_tiny(path: Path) -> None:
    trainings = [cfg for models in load(path).train.values() for cfg in models.values()]
    for cfg in [MCVDTraining(steps=1, learning_rate=1), *trainings]:
        if isinstance(cfg, MCVDTraining):
            assert weights(cfg.build(1, 20)) <= 1_000_000

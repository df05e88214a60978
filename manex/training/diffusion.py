"""Training of a denoiser that is given the noise level: EDM's loss (Karras et al. 2022)."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Generator, Tensor, nn

from manex.arrays import Frames
from manex.datasets.dataset import Order
from manex.denoisers.base import Denoiser
from manex.denoisers.conditional import ConditionalDenoiser
from manex.networks.conditional import ConditionalUNet, Given
from manex.noises.base import Law, Noise
from manex.noises.draws import noise_like
from manex.noises.white import White
from manex.settings import GreyLevel
from manex.training.denoising import denoising_scores
from manex.training.objective import HeldOut, Objective, OnFrames
from manex.training.settings import TrainingSettings


class Diffusion(TrainingSettings):
    """What trainings with EDM's loss share: sigma is log-normal."""

    sigma_median: GreyLevel = Field(40 / 255, description="median noise level seen in training")
    sigma_spread: PositiveFloat = Field(1.2, description="standard deviation of the natural logarithm of sigma")
    widths: tuple[PositiveInt, ...] = Field((32, 64, 128, 128), min_length=1, description="channels per level")
    bfloat16: bool = Field(False, description="mixed precision in the forward and backward pass")


class DiffusionTraining(Diffusion):
    """Our residual network, given the noise level; from shuffled frames."""

    noise: Law = Field(White(), description="the law of the noise; it travels with the denoiser")

    def build(self, channels: int, size: int) -> ConditionalUNet:
        """The untrained network."""
        return ConditionalUNet(channels, self.widths)

    def objective(self, frames: Frames, held_out: HeldOut, order: Order | None) -> Objective:
        """EDM's loss."""
        return Diffusing(self, frames, held_out)

    def finished(self, network: nn.Module) -> Denoiser:
        """The network as a denoiser of the noise levels within three standard deviations."""
        assert isinstance(network, ConditionalUNet)
        reach = math.exp(3 * self.sigma_spread)
        sigma_range = (self.sigma_median / reach, self.sigma_median * reach)
        return ConditionalDenoiser(network.eval(), sigma_range, self.noise)


class Diffusing(OnFrames[DiffusionTraining]):
    """EDM's loss on single frames."""

    def loss(self, network: nn.Module, generator: Generator) -> Float[Tensor, ""]:
        """See `ConditionalUNet.loss`."""
        return diffusion_loss(network, self.batch(generator), None, self.cfg, generator, self.cfg.noise)

    def scores(self, network: nn.Module) -> dict[str, float]:
        """PSNR at three noise levels."""
        return denoising_scores(self.cfg.finished(network), self)


def diffusion_loss(
    network: nn.Module,
    clean: Frames,
    given: Given | None,
    cfg: Diffusion,
    generator: Generator,
    law: Noise = White(),  # noqa: B008 - frozen
) -> Float[Tensor, ""]:
    """EDM's loss of a network that is given sigma, log-normal; `given`: past frames or None; `law`: of the noise."""
    assert isinstance(network, ConditionalUNet)
    normal = torch.randn(len(clean), 1, 1, 1, generator=generator).to(clean.device)
    sigmas = cfg.sigma_median * (cfg.sigma_spread * normal).exp()
    noise = noise_like(clean, generator, law)
    with torch.autocast(clean.device.type, torch.bfloat16, enabled=cfg.bfloat16):
        return network.loss(clean, noise, sigmas, given)

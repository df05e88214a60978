"""Training of the variational autoencoder of Algorithm 3."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Generator, Tensor, nn

from manex.arrays import Frames
from manex.datasets.dataset import Order
from manex.metrics.psnr import decibels
from manex.networks.vae import VAE
from manex.training.objective import HeldOut, Objective, OnFrames
from manex.training.settings import TrainingSettings


class VAETraining(TrainingSettings):
    """The autoencoder of Algorithm 3, by Adam at a constant rate."""

    latent: PositiveInt = 512
    learning_rate: PositiveFloat = 0.005
    divergence_weight: PositiveFloat = Field(0.00025, description="weight of the KL term per frame")
    optimiser: Literal["adam"] = "adam"
    weight_decay: float = Field(0.0, ge=0, le=0)
    decay: Literal["flat"] = "flat"

    def build(self, channels: int, size: int) -> VAE:
        """The untrained network."""
        return VAE(channels, size, self.latent)

    def objective(self, frames: Frames, held_out: HeldOut, order: Order | None) -> Objective:
        """Reconstruction and divergence."""
        return Autoencoding(self, frames, held_out)


class Autoencoding(OnFrames[VAETraining]):
    """Reconstruction and divergence."""

    def loss(self, network: nn.Module, generator: Generator) -> Float[Tensor, ""]:
        """The loss on a batch of clean frames."""
        assert isinstance(network, VAE)
        return network.loss(self.batch(generator), self.cfg.divergence_weight, generator)

    @torch.no_grad()
    def scores(self, network: nn.Module) -> dict[str, float]:
        """PSNR of the reconstruction from the mean code, of training frames if none are held out."""
        assert isinstance(network, VAE)
        judged = self.held_out if len(self.held_out) else self.frames
        reconstructed = network.decode(network.encode(judged)[0])
        return {"psnr_reconstruction": decibels((reconstructed - judged).square().mean())}

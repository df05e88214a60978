"""The objective of blind denoisers: mean squared error on the noise; the settings that they share."""

from __future__ import annotations

from typing import Any, Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Generator, Tensor, nn

from manex.arrays import Frames, PerItem
from manex.datasets.dataset import Order
from manex.denoisers.base import Denoiser
from manex.denoisers.network import NetworkDenoiser
from manex.metrics.psnr import psnr
from manex.noises.base import Law
from manex.noises.draws import noise_like
from manex.noises.white import White
from manex.settings import GreyLevel
from manex.training.objective import HeldOut, Objective, OnFrames
from manex.training.settings import TrainingSettings

LEVELS_255 = (25, 15, 50)
"""Noise levels at which PSNR is recorded, in 1/255; a plateau is judged by the first."""

SCORED = 200
"""Training frames, about, on which PSNR is recorded where none are held out."""


class BlindTraining(TrainingSettings):
    """A blind denoiser: sigma drawn from [0, sigma_max], mean squared error on the noise."""

    sigma_max: GreyLevel = Field(60 / 255, description="largest noise level seen in training")
    sigma_law: Literal["uniform", "quadratic"] = Field("uniform", description="quadratic: sigma = max * U^2")
    bfloat16: bool = Field(False, description="mixed precision in the forward and backward pass")
    noise: Law = Field(White(), description="the law of the noise; it travels with the denoiser")

    @property
    def homogeneous(self) -> bool:
        """Whether the network has no bias, so that D(c y) = c D(y)."""
        return False

    def objective(self, frames: Frames, held_out: HeldOut, order: Order | None) -> Objective:
        """Mean squared error on the noise."""
        return Denoising(self, frames, held_out)

    def finished(self, network: nn.Module) -> Denoiser:
        """The network as a denoiser of the noise levels it was trained on."""
        return NetworkDenoiser(network.eval(), "noise", (0.0, self.sigma_max), self.homogeneous, self.noise)


class Denoising(OnFrames[BlindTraining]):
    """Mean squared error on the noise."""

    def loss(self, network: nn.Module, generator: Generator) -> Float[Tensor, ""]:
        """The loss on frames with noise of random levels."""
        cfg, clean = self.cfg, self.batch(generator)
        sigmas = draw_sigmas(cfg.sigma_law, cfg.sigma_max, cfg.batch, generator)
        noise = sigmas.to(clean.device) * noise_like(clean, generator, cfg.noise)
        with torch.autocast(clean.device.type, torch.bfloat16, enabled=cfg.bfloat16):
            predicted = network(clean + noise)
        loss: Tensor = (predicted.float() - noise).square().mean()
        return loss

    def scores(self, network: nn.Module) -> dict[str, float]:
        """PSNR at three noise levels."""
        return denoising_scores(self.cfg.finished(network), self)


def denoising_scores(denoiser: Denoiser, on: OnFrames[Any]) -> dict[str, float]:
    """PSNR at three noise levels on held-out frames, if there are any, and at one on about as many training frames."""
    seen = on.frames[:: max(1, len(on.frames) // (len(on.held_out) or SCORED))]  # of every video
    levels = LEVELS_255 if len(on.held_out) else ()
    scores = {f"psnr_held_out_{level}": psnr(denoiser, on.held_out, level / 255) for level in levels}
    return scores | {"psnr_train_25": psnr(denoiser, seen, 25 / 255)}


def draw_sigmas(law: str, sigma_max: float, count: int, generator: Generator) -> PerItem:
    """Noise levels for a batch: `uniform` in [0, sigma_max], or `quadratic`: sigma_max * U^2 (Kadkhodaie et al.)."""
    u = torch.rand(count, 1, 1, 1, generator=generator)
    return sigma_max * (u**2 if law == "quadratic" else u)

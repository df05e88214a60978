"""What a step makes smaller and how the result is scored, for trainings on shuffled frames."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from pipeline.arrays import Frames
from pipeline.config.training import (
    BiasFreeTraining,
    Blind,
    Diffusion,
    DiffusionTraining,
    Model,
    VAETraining,
)
from pipeline.denoisers.base import Denoiser
from pipeline.denoisers.network import ConditionalDenoiser, NetworkDenoiser
from pipeline.networks.conditional import ConditionalUNet, Given
from pipeline.networks.vae import VAE
from pipeline.training.noise import draw_sigmas, noise_like, psnr

LEVELS_255 = (25, 15, 50)
"""Noise levels at which PSNR is recorded, in 1/255; the first is the one a plateau is judged by."""


HeldOut = Float[Tensor, "held_out channel height width"]


class Objective:
    """A loss with its scores.

    `loss` draws a batch and all else that is random from the generator; `scores` is PSNR in dB by name, of a network in
    evaluation mode, the first being the one a plateau is judged by.
    """

    def loss(self, network: nn.Module, generator: Generator) -> Float[Tensor, ""]:
        """The loss on a batch."""
        raise NotImplementedError

    def scores(self, network: nn.Module) -> dict[str, float]:
        """How good the network is."""
        raise NotImplementedError


class _OnFrames(Objective):
    """An objective on shuffled frames."""

    def __init__(self, cfg: Model, frames: Frames, held_out: HeldOut) -> None:
        self.cfg, self.frames, self.held_out = cfg, frames, held_out

    def batch(self, generator: Generator) -> Frames:
        chosen = torch.randint(len(self.frames), (self.cfg.batch,), generator=generator)
        return self.frames[chosen.to(self.frames.device)]


class Autoencoding(_OnFrames):
    """Of the variational autoencoder."""

    cfg: VAETraining

    def loss(self, network: nn.Module, generator: Generator) -> Float[Tensor, ""]:
        """Reconstruction and divergence."""
        assert isinstance(network, VAE)
        return network.loss(self.batch(generator), self.cfg.divergence_weight, generator)

    @torch.no_grad()
    def scores(self, network: nn.Module) -> dict[str, float]:
        """Of the reconstruction from the mean code."""
        assert isinstance(network, VAE)
        reconstructed = network.decode(network.encode(self.held_out)[0])
        return {"psnr_reconstruction": decibels((reconstructed - self.held_out).square().mean())}


class Denoising(_OnFrames):
    """Of a blind denoiser: mean squared error on the noise."""

    cfg: Blind

    def loss(self, network: nn.Module, generator: Generator) -> Float[Tensor, ""]:
        """Mean squared error on the noise."""
        cfg, clean = self.cfg, self.batch(generator)
        sigmas = draw_sigmas(cfg.sigma_law, cfg.sigma_max_255 / 255, cfg.batch, generator)
        noise = sigmas.to(clean.device) * noise_like(clean, generator)
        with torch.autocast(clean.device.type, torch.bfloat16, enabled=cfg.bfloat16):
            predicted = network(clean + noise)
        loss: Tensor = (predicted.float() - noise).square().mean()
        return loss

    def scores(self, network: nn.Module) -> dict[str, float]:
        """At three noise levels."""
        return _denoising_scores(network, self)


class Diffusing(_OnFrames):
    """Of a denoiser that is told the noise level: EDM's loss."""

    cfg: DiffusionTraining

    def loss(self, network: nn.Module, generator: Generator) -> Float[Tensor, ""]:
        """See `ConditionalUNet.loss`."""
        return diffusion_loss(network, self.batch(generator), None, self.cfg, generator)

    def scores(self, network: nn.Module) -> dict[str, float]:
        """At three noise levels."""
        return _denoising_scores(network, self)


def trained_denoiser(network: nn.Module, cfg: Model) -> Denoiser:
    """A trained network as a denoiser; a bias-free one is homogeneous.

    Raises:
        TypeError: a network that is no denoiser of single frames.
    """
    network.eval()
    if isinstance(cfg, DiffusionTraining):
        assert isinstance(network, ConditionalUNet)
        median, reach = cfg.sigma_median_255 / 255, math.exp(3 * cfg.sigma_spread)
        return ConditionalDenoiser(network, (median / reach, median * reach))
    if isinstance(cfg, Blind):
        homogeneous = isinstance(cfg, BiasFreeTraining)
        return NetworkDenoiser(network, "noise", (0.0, cfg.sigma_max_255 / 255), homogeneous=homogeneous)
    raise TypeError(f"a network of kind {cfg.network} is no denoiser of single frames")


def _denoising_scores(network: nn.Module, on: _OnFrames) -> dict[str, float]:
    denoiser = trained_denoiser(network, on.cfg)
    seen = on.frames[:: max(1, len(on.frames) // len(on.held_out))]  # of every video
    scores = {f"psnr_held_out_{level}": psnr(denoiser, on.held_out, level / 255) for level in LEVELS_255}
    return scores | {"psnr_train_25": psnr(denoiser, seen, 25 / 255)}


def diffusion_loss(
    network: nn.Module, clean: Frames, given: Given | None, cfg: Diffusion, generator: Generator
) -> Float[Tensor, ""]:
    """EDM's loss of a network that is told sigma (Karras et al. 2022), log-normal; `given`: past frames or None."""
    assert isinstance(network, ConditionalUNet)
    normal = torch.randn(len(clean), 1, 1, 1, generator=generator).to(clean.device)
    sigmas = cfg.sigma_median_255 / 255 * (cfg.sigma_spread * normal).exp()
    noise = noise_like(clean, generator)
    with torch.autocast(clean.device.type, torch.bfloat16, enabled=cfg.bfloat16):
        return network.loss(clean, noise, sigmas, given)


def decibels(error: Float[Tensor, ""]) -> float:
    """PSNR of a mean squared error, for grey levels in [0, 1]."""
    return float(-10 * error.log10())

"""Noise levels and noisy frames. All randomness is drawn on the CPU, so that devices agree on it."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from pipeline.arrays import Frames
from pipeline.denoisers.base import Denoiser


def draw_sigmas(law: str, sigma_max: float, count: int, generator: Generator) -> Float[Tensor, "count 1 1 1"]:
    """Noise levels for a batch: `uniform` in [0, sigma_max], or `quadratic`: sigma_max * U^2 (Kadkhodaie et al.)."""
    u = torch.rand(count, 1, 1, 1, generator=generator)
    return sigma_max * (u**2 if law == "quadratic" else u)


def noise_like(frames: Frames, generator: Generator) -> Frames:
    """Standard normal noise of the frames' shape and device."""
    return torch.randn(frames.shape, generator=generator, dtype=frames.dtype).to(frames.device)


@torch.no_grad()
def psnr(denoiser: Denoiser, frames: Frames, sigma: float, draws: int = 1, seed: int = 0) -> float:
    """Peak signal-to-noise ratio in dB, 10 log10(1 / mean squared error), of denoised frames; peak 1.

    The noise is the same for every denoiser given the same frames and seed, so that differences are paired.
    """
    generator = Generator().manual_seed(seed)
    errors = [
        (denoiser(part + sigma * noise_like(part, generator), sigma) - part).square().sum()
        for _ in range(draws)
        for part in frames.split(256)
    ]
    return float(-10 * torch.log10(torch.stack(errors).sum() / (draws * frames.numel())))

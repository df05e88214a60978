"""Peak signal-to-noise ratio in dB, for grey levels in [0, 1]."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from manex.arrays import Frames
from manex.denoisers.base import Denoiser
from manex.noises.draws import noise_like


@torch.no_grad()
def psnr(denoiser: Denoiser, frames: Frames, sigma: float, draws: int = 1, seed: int = 0) -> float:
    """10 log10(1 / mean squared error) of denoised frames; NaN without frames.

    The noise is the same for every denoiser given the same frames and seed, so that differences are paired. Its law is
    the denoiser's.

    Args:
        frames: clean, (n, channel, height, width), in [0, 1].
        sigma: noise level in grey levels.
        draws: noisy copies per frame.

    Example:
        >>> from manex import DiracMixture, psnr
        >>> frames = torch.rand(10, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> psnr(DiracMixture(frames), frames, sigma=0.1) > 60
        True
    """
    if not len(frames):
        return math.nan
    generator = Generator().manual_seed(seed)
    errors = [
        (denoiser(part + sigma * noise_like(part, generator, denoiser.noise), sigma) - part).square().sum()
        for _ in range(draws)
        for part in frames.split(256)
    ]
    return float(-10 * torch.log10(torch.stack(errors).sum() / (draws * frames.numel())))


def decibels(error: Float[Tensor, ""]) -> float:
    """PSNR of a mean squared error."""
    return float(-10 * error.log10())

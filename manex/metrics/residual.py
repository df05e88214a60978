"""How far a frame is from what a denoiser takes for images: a distance where no true manifold is known."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from manex.arrays import Frames
from manex.denoisers.base import Denoiser
from manex.noises.draws import noise_like

SIGMA = 15 / 255
"""Noise level at which it is measured, unless the denoiser was trained on less."""
PAIRS = 2
"""Pairs of mirrored noise."""
QUANTILE = 0.95
"""The unit is the residual that this share of the held-out frames stays below."""


@dataclass(frozen=True)
class Residual:
    """RMS of u - mean over +-z of D(u + sigma z), in units of its 95 % quantile on frames that no training saw.

    A denoiser leaves alone what it takes for an image and changes what it does not. In a mirrored pair the response to
    the noise itself cancels. The unit must not come from training frames, whose residual is about half as large. Below
    1: as near as frames that belong to the set; above: farther.

    Attributes:
        denoiser: a trained one; the residual says no more than it knows.
        sigma: noise level in grey levels.
        unit: the 95 % quantile on held-out frames, in grey levels.

    Example:
        >>> from manex import DiracMixture, Residual
        >>> frames = torch.rand(20, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> residual = Residual.of(DiracMixture(frames[:10]), held_out=frames[10:])
        >>> residual(frames[:10]).max() < 0.01 < residual(1 - frames[:10]).min()
        tensor(True)
    """

    denoiser: Denoiser
    sigma: float
    unit: Float[Tensor, ""]

    @classmethod
    def of(cls, denoiser: Denoiser, held_out: Frames) -> Residual:
        """The residual in units of that of `held_out`, at sigma 15/255 or what the denoiser was trained on, if less.

        Raises:
            ValueError: no frame is held out, or all of them come back unchanged, so there is no unit.
        """
        if not len(held_out):
            raise ValueError("no frame is held out, so the residual has no unit")
        sigma = min(SIGMA, denoiser.sigma_range[1]) if denoiser.sigma_range else SIGMA
        unit = cls(denoiser, sigma, held_out.new_ones(()))(held_out).quantile(QUANTILE)
        if unit == 0:
            raise ValueError("the denoiser leaves held-out frames unchanged, so the residual has no unit")
        return cls(denoiser, sigma, unit)

    @torch.no_grad()
    def __call__(self, frames: Frames) -> Float[Tensor, " n"]:
        """The residual of each frame. The noise is the same for all, so it depends on the frame alone.

        Args:
            frames: (n, channel, height, width), grey levels in [0, 1], on the device of `held_out`.
        """
        generator = Generator().manual_seed(0)
        draws = [self.sigma * noise_like(frames[:1], generator, self.denoiser.noise) for _ in range(PAIRS)]
        found = []
        for part in frames.split(64):
            copies = [self.denoiser(part + noise, self.sigma) for draw in draws for noise in (draw, -draw)]
            found.append((part - torch.stack(copies).mean(0)).square().mean((1, 2, 3)).sqrt())
        return torch.cat(found) / self.unit

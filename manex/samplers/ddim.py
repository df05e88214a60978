"""DDIM: the probability-flow ODE of diffusion models by Euler steps, up or down (Song, Meng, Ermon 2021)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from pydantic import Field, PositiveInt

from manex.arrays import Frames
from manex.errors import WalkError
from manex.settings import GreyLevel, Section


class DDIM(Section):
    """The noise levels of the ODE."""

    steps: PositiveInt = Field(20, description="from one end of the noise levels to the other")
    sigma_max: GreyLevel = Field(1000 / 255, description="largest noise level")
    sigma_min: GreyLevel = Field(1 / 255, description="noise level at which an image counts as clean")


def levels(cfg: DDIM) -> list[float]:
    """`cfg.steps` + 1 falling noise levels, in grey levels, even in their seventh roots (Karras et al. 2022, eq. 5)."""
    ends = (cfg.sigma_max, cfg.sigma_min)
    high, low = (end ** (1 / 7) for end in ends)
    inner = [(high + step / cfg.steps * (low - high)) ** 7 for step in range(1, cfg.steps)]
    return [ends[0], *inner, ends[1]]


@torch.no_grad()
def ddim(denoiser: Callable[[Frames, float], Frames], start: Frames, sigmas: Sequence[float]) -> Frames:
    """From the first noise level to the last, up or down: y' = D + (sigma' / sigma) (y - D), D = D(y; sigma).

    Song, Meng, Ermon 2021, eq. (14), in y / sqrt(alpha): Euler's method for dy/dsigma = (y - D) / sigma, exact where D
    does not change on the way.

    Args:
        denoiser: (frames, noise level) -> clean frames.
        start: frames with noise of the first level, (batch, channel, height, width).
        sigmas: noise levels in grey levels; only the last may be zero.

    Raises:
        WalkError: the denoiser returned values that are not finite.

    Example:
        >>> from manex import DiracMixture, ddim
        >>> frames = torch.rand(10, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> start = 4 * torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(1))
        >>> drawn = ddim(DiracMixture(frames), start, [4.0, 1.0, 0.3, 0.1, 0.03, 0.0])
        >>> bool((torch.cdist(drawn.flatten(1), frames.flatten(1)).min(1).values < 0.01).all())
        True
    """
    current = start
    for now, then in pairwise(sigmas):
        clean = denoiser(current, now)
        current = clean + then / now * (current - clean)
    if not current.isfinite().all():
        raise WalkError("the denoiser returned values that are not finite; the walk has left the images it knows")
    return current

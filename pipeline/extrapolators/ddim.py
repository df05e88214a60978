"""DDIM: the probability-flow ODE of diffusion models by Euler steps, up or down; a walk in its latent space."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import count, pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.arrays import Frames
from pipeline.config.rivals import DDIM, DDIMLatent
from pipeline.denoisers.base import Denoiser
from pipeline.extrapolators.base import ItemNoise, WalkError, WalkState, first_velocity, lengths, unit


def levels(cfg: DDIM) -> list[float]:
    """`cfg.steps` + 1 falling noise levels, in grey levels, even in their seventh roots (Karras et al. 2022, eq. 5)."""
    ends = (cfg.sigma_max_255 / 255, cfg.sigma_min_255 / 255)
    high, low = (end ** (1 / 7) for end in ends)
    inner = [(high + step / cfg.steps * (low - high)) ** 7 for step in range(1, cfg.steps)]
    return [ends[0], *inner, ends[1]]


@torch.no_grad()
def ddim(denoiser: Callable[[Frames, float], Frames], start: Frames, sigmas: Sequence[float]) -> Frames:
    """From the first noise level to the last, up or down: y' = D + (sigma' / sigma) (y - D), D = D(y; sigma).

    Song, Meng, Ermon 2021, eq. (14), in y / sqrt(alpha): Euler's method for dy/dsigma = (y - D) / sigma, exact where D
    does not change on the way.

    Raises:
        WalkError: the denoiser returned values that are not finite.
    """
    current = start
    for now, then in pairwise(sigmas):
        clean = denoiser(current, now)
        current = clean + then / now * (current - clean)
    if not current.isfinite().all():
        raise WalkError("the denoiser returned values that are not finite; the walk has left the images it knows")
    return current


def ddim_latent(
    denoiser: Denoiser, first: Frames, second: Frames, cfg: DDIMLatent, noise: ItemNoise
) -> Iterator[WalkState]:
    """Carry both frames up to the largest noise level, go on there, and come back down, for ever.

    The way up is the deterministic inversion of Song, Meng, Ermon 2021, section 5.4; what it leads to stands for a
    frame as a code does. Nothing here is random, so trials agree.

    Args:
        denoiser: told the noise level.
        first, second: clean frames in [0, 1].

    Raises:
        WalkError: a blind denoiser, which knows one latent for all noise levels: none.
    """
    first_velocity(first, second)
    if denoiser.blind:
        raise WalkError("ddim_latent needs a denoiser that is told the noise level; this one is blind")
    down = levels(cfg)
    start, end = (ddim(denoiser, frame, down[::-1]) for frame in (first, second))
    for step in count(1):
        code = continued(start, end, cfg.speed * step, cfg.path)
        yield WalkState(ddim(denoiser, code, [*down, 0.0]).clamp(0, 1))


def continued(start: Frames, end: Frames, distance: float, path: str) -> Frames:
    """Beyond `end`, by `distance` times the way from `start`.

    Args:
        path: `linear`, or `spherical`: turned on in the plane of both, the length of `end` kept.
    """
    if path == "linear":
        return end + distance * (end - start)
    ahead = unit(end)
    along = _dot(start, ahead)
    across = along * ahead - start
    angle, beside = torch.atan2(lengths(across), along), unit(across)
    return lengths(end) * ((distance * angle).cos() * ahead + (distance * angle).sin() * beside)


def _dot(a: Frames, b: Frames) -> Float[Tensor, "batch 1 1 1"]:
    return (a * b).sum(dim=(1, 2, 3), keepdim=True)

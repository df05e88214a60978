"""A walk in the latent space of DDIM: invert both frames, continue there, decode."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from pydantic import Field, PositiveFloat
from torch import Tensor

from manex.arrays import Frames, lengths, unit
from manex.denoisers.base import Denoiser
from manex.errors import WalkError
from manex.extrapolators.base import Walk, WalkState, first_velocity
from manex.noises.draws import ItemNoise
from manex.samplers.ddim import DDIM, ddim, levels


class DDIMLatent(Walk, DDIM):
    """Deterministic inversion of both frames, extrapolation there, decoding.

    Source: Song, Meng, Ermon (2021), section 5.4. Takes a `Denoiser` that is given the noise level.

    Example:
        >>> from manex import DDIMLatent, DiracMixture, ItemNoise
        >>> from manex.extrapolators.walk import walk
        >>> video = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> states = walk(DDIMLatent(steps=5), DiracMixture(video), video[:1], video[1:2], ItemNoise([(0,)]))
        >>> next(states).frame.shape
        torch.Size([1, 1, 8, 8])
    """

    takes: ClassVar[type] = Denoiser
    default_model: ClassVar[str] = "diffusion"

    path: Literal["linear", "spherical"] = "linear"
    speed: PositiveFloat = Field(1.0, description="step per frame, in units of the given one")


def ddim_latent(
    denoiser: Denoiser, first: Frames, second: Frames, cfg: DDIMLatent, noise: ItemNoise
) -> Iterator[WalkState]:
    """Carry both frames up to the largest noise level, continue there, and come back down, endlessly.

    The way up is the deterministic inversion of Song, Meng, Ermon 2021, section 5.4; its result is the code of
    a frame. Nothing here is random, so trials agree.

    Args:
        denoiser: given the noise level.
        first, second: clean frames in [0, 1].

    Raises:
        WalkError: a blind denoiser, which has no latent of its own at each noise level.
    """
    first_velocity(first, second)
    if denoiser.blind:
        raise WalkError("ddim_latent needs a denoiser that is given the noise level; this one is blind")
    down = levels(cfg)
    start, end = (ddim(denoiser, frame, down[::-1]) for frame in (first, second))
    for step in count(1):
        code = continued(start, end, cfg.speed * step, cfg.path)
        yield WalkState(ddim(denoiser, code, [*down, 0.0]).clamp(0, 1))


def continued(start: Frames, end: Frames, distance: float, path: str) -> Frames:
    """The point beyond `end` by `distance` times the way from `start`.

    Args:
        path: `linear`, or `spherical`: a rotation in the plane of both that keeps the length of `end`.
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

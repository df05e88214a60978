"""Perturbation PCA: planes through denoised noisy copies of a frame, without any Jacobian."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from pydantic import Field

from manex.arrays import Frames
from manex.denoisers.base import Denoiser, denoise
from manex.extrapolators.base import Denoised, WalkState
from manex.extrapolators.local_pca import Patch, Planes, over_planes, plane
from manex.noises.draws import ItemNoise


class PerturbationPca(Denoised, Planes):
    """Planes through denoised noisy copies: the axes of the Jacobian without a derivative. Takes a `Denoiser`.

    Example:
        >>> from manex import DiracMixture, ItemNoise, PerturbationPca
        >>> from manex.extrapolators.walk import walk
        >>> frames = torch.rand(20, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> states = walk(PerturbationPca(sigma=0.3), DiracMixture(frames), frames[:1], frames[1:2], ItemNoise([(0,)]))
        >>> next(states).frame.shape
        torch.Size([1, 1, 8, 8])
    """

    default_block: ClassVar[str] = "rivals"

    draws: int = Field(16, ge=2, multiple_of=2, description="noisy copies per plane, in mirrored pairs")


def perturbation_pca(
    denoiser: Denoiser, first: Frames, second: Frames, cfg: PerturbationPca, noise: ItemNoise
) -> Iterator[WalkState]:
    """Walk over the principal planes of `draws` denoised noisy copies of a frame.

    D(u + sigma z) varies with covariance sigma^2 J J^T about its mean, so its principal axes are those of J. The copies
    come in mirrored pairs, so that errors of first order leave the mean, on which the walk lands.

    Args:
        first, second: clean frames in [0, 1].
    """
    clean = denoiser.at(cfg.sigma)

    def patch(at: Frames) -> Patch:
        half = [cfg.sigma * noise.like(at) for _ in range(cfg.draws // 2)]
        return plane(torch.stack([denoise(clean, at + sign * z) for z in half for sign in (1, -1)], 1), cfg.rank)

    return over_planes(patch, first, second, cfg)

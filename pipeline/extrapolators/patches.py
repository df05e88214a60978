"""Walks over flat patches: at each step a plane stands for the manifold nearby, found without any Jacobian."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float
from torch import Tensor

from pipeline.arrays import Frames, Vectors
from pipeline.config.rivals import LocalPca, PerturbationPca
from pipeline.denoisers.base import Denoiser
from pipeline.extrapolators.base import ItemNoise, TrainingFrames, WalkState, denoise, steps, unit
from pipeline.geometry.tangent import project

Clouds = Float[Tensor, "batch member channel height width"]
Patch = tuple[Frames, Vectors]
"""Where to land, and orthonormal axes of the plane there."""


def local_pca(
    known: TrainingFrames, first: Frames, second: Frames, cfg: LocalPca, noise: ItemNoise
) -> Iterator[WalkState]:
    """Walk over the principal planes of the `neighbours` nearest training frames.

    The tangent estimate of local PCA (Kambhatla and Leen 1997; Zhang and Zha's local tangent space alignment, 2004).

    Args:
        first, second: clean frames in [0, 1].
    """

    def patch(at: Frames) -> Patch:
        nearest = torch.cdist(at.flatten(1), known.frames.flatten(1)).topk(cfg.neighbours, largest=False).indices
        centre, axes = _plane(known.frames[nearest], cfg.rank)
        return centre + project(axes, at - centre), axes

    return _walk(patch, first, second, cfg)


def perturbation_pca(
    denoiser: Denoiser, first: Frames, second: Frames, cfg: PerturbationPca, noise: ItemNoise
) -> Iterator[WalkState]:
    """Walk over the principal planes of what the denoiser makes of `draws` noisy copies of a frame.

    D(u + sigma z) varies with covariance sigma^2 J J^T about its mean, so its principal axes are those of J. The copies
    come in mirrored pairs, so that errors of first order leave the mean, on which the walk lands.

    Args:
        first, second: clean frames in [0, 1].
    """
    clean = denoiser.at(cfg.sigma)

    def patch(at: Frames) -> Patch:
        half = [cfg.sigma * noise.like(at) for _ in range(cfg.draws // 2)]
        return _plane(torch.stack([denoise(clean, at + sign * z) for z in half for sign in (1, -1)], 1), cfg.rank)

    return _walk(patch, first, second, cfg)


def _walk(
    patch: Callable[[Frames], Patch], first: Frames, second: Frames, cfg: LocalPca | PerturbationPca
) -> Iterator[WalkState]:
    """Step along the heading, land on the plane there, turn the heading into it."""

    def advance(previous: Frames, heading: Frames, stride: Tensor) -> tuple[Frames, Frames]:
        landed, axes = patch(previous + stride * heading)
        current = landed.clamp(0, 1)
        return current, unit(project(axes, unit(current - previous) + cfg.momentum * heading))

    return steps(advance, first, second, cfg.speed, cfg.substeps)


def _plane(clouds: Clouds, rank: int) -> Patch:
    """The mean and the first principal axes of each cloud of frames."""
    mean = clouds.mean(1)
    axes = torch.linalg.svd((clouds - mean.unsqueeze(1)).flatten(2), full_matrices=False)[2][:, :rank]
    return mean, axes.reshape(len(clouds), -1, *mean.shape[1:])

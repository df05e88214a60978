"""Why a walk works or fails: what the denoiser's Jacobian keeps of the true direction of motion."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from pipeline.arrays import Frames, Videos
from pipeline.denoisers.base import Denoiser
from pipeline.geometry.eigen import top_eigenspace
from pipeline.geometry.products import Jacobian
from pipeline.geometry.tangent import asymmetry, effective_dimension, principal_angles, retention
from pipeline.metrics.coordinates import LatentManifold

SPECTRUM = 5
"""Eigenvalues reported."""
_PROBES = 8
_PRODUCTS = 80


def true_tangents(manifold: LatentManifold, frames: Frames) -> Frames:
    """The unit tangent of the manifold at the sample nearest to each frame, by central differences."""
    dense = manifold.frames.to(frames)
    nearest = torch.cdist(frames.flatten(1), dense.flatten(1)).argmin(1)
    if manifold.period is None:
        ahead, behind = (nearest + 1).clamp(max=len(dense) - 1), (nearest - 1).clamp(min=0)
    else:
        ahead, behind = (nearest + 1) % len(dense), (nearest - 1) % len(dense)
    tangents = (dense[ahead] - dense[behind]).flatten(1)
    unit: Tensor = tangents / tangents.norm(dim=1, keepdim=True)
    return unit.reshape(frames.shape)


def angles_to(directions: Frames, tangents: Frames) -> Float[Tensor, " batch"]:
    """Angle between a direction of motion and the tangent line, 0 to 90 degrees."""
    cosine: Tensor = torch.cosine_similarity(directions.flatten(1), tangents.flatten(1)).abs()
    angles: Tensor = cosine.clamp(max=1).acos() * (180 / math.pi)
    return angles


def diagnose(
    denoiser: Denoiser, sigma: float, videos: Videos, manifolds: Sequence[LatentManifold], every: int = 6, seed: int = 0
) -> Iterator[dict[str, Tensor]]:
    """The geometry at every `every`-th frame, at a noisy copy of it, all videos at once.

    Yields:
        By name, one number a video: `frame`; `retention_error` |J t - t| and `retention` |<J t, t>| for the true unit
        tangent t (0 and 1 for a perfect denoiser); `tangent_angle`, degrees from t to the top-5 eigenspace;
        `eigenvalue_1` to `eigenvalue_5` of the symmetric part; `effective_dimension`, the trace of J; `asymmetry`,
        |J - J^T| / |J + J^T| (both by seeded random probes).
    """
    generator = Generator().manual_seed(seed)
    for index in range(1, videos.shape[1], every):
        frames = videos[:, index]
        noisy = frames + sigma * torch.randn(frames.shape, generator=generator).to(frames)
        tangents = torch.cat([true_tangents(m, f[None]) for m, f in zip(manifolds, frames, strict=True)])
        jacobian = Jacobian(denoiser.at(sigma), noisy)
        error, kept = retention(jacobian, tangents)
        space = top_eigenspace(jacobian, SPECTRUM, tolerance=0.1, max_products=_PRODUCTS)
        angle = principal_angles(tangents[:, None], space.vectors)[:, 0] * (180 / math.pi)
        yield {
            "frame": torch.full((len(frames),), index),
            "retention_error": error,
            "retention": kept,
            "tangent_angle": angle,
            **{f"eigenvalue_{i + 1}": space.values[:, i] for i in range(SPECTRUM)},
            "effective_dimension": effective_dimension(jacobian, _PROBES, generator),
            "asymmetry": asymmetry(jacobian, _PROBES, generator),
        }

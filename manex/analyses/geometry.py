"""How good a denoiser is, and what its Jacobian keeps of the true direction of motion."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from pydantic import Field
from torch import Generator, Tensor

from manex.analyses.base import Analysis, Rows, Subject
from manex.arrays import Videos
from manex.datasets.dataset import Dataset
from manex.datasets.manifold import LatentManifold, true_tangents
from manex.denoisers.base import Denoiser
from manex.geometry.eigen import top_eigenspace
from manex.geometry.products import Jacobian
from manex.geometry.tangent import asymmetry, effective_dimension, principal_angles, retention
from manex.metrics.psnr import psnr
from manex.noises.draws import noise_like

SPECTRUM = 5
"""Eigenvalues reported."""
_PROBES = 8
_PRODUCTS = 80
SUMMARY = ("tangent_angle", "retention", "asymmetry", "effective_dimension")
"""What the analysis reports from `diagnose`, as medians."""


class Geometry(Analysis):
    """PSNR, and the geometry at noisy copies of true frames."""

    points: int = Field(4, ge=1, description="true frames of every video at which the geometry is taken")


def geometry(subjects: Sequence[Subject], dataset: Dataset, cfg: Geometry) -> Iterator[Rows]:
    """One row per denoiser: PSNR on held-out frames and on those of the videos, and medians of the geometry.

    Where no manifold is known the geometry is missing; where no frame is held out, its PSNR is NaN.
    """
    for subject in subjects:
        denoiser, sigma = subject.denoiser, subject.sigma
        device = subject.device
        judged = {"psnr": dataset.held_out_frames, "psnr_videos": dataset.videos.flatten(0, 1)}
        row = {name: psnr(denoiser, images.to(device), sigma) for name, images in judged.items()}
        if dataset.manifolds:
            every = max(1, (dataset.videos.shape[1] - 1) // cfg.points)
            tables = list(diagnose(denoiser, sigma, dataset.videos.to(device), dataset.manifolds, every))
            row |= {name: float(torch.cat([table[name] for table in tables]).median()) for name in SUMMARY}
        else:
            row |= dict.fromkeys(SUMMARY, math.nan)
        names = {"denoiser": subject.label, "walk": subject.name, "sigma_255": float(f"{255 * sigma:.12g}")}
        yield Rows("denoisers", {name: [value] for name, value in {**names, **row}.items()})


def diagnose(
    denoiser: Denoiser,
    sigma: float,
    videos: Videos,
    manifolds: Sequence[LatentManifold],
    every: int = 12,
    seed: int = 0,
) -> Iterator[dict[str, Tensor]]:
    """The geometry at every `every`-th frame, at a noisy copy of it, all videos at once.

    Yields:
        By name, one number per video: `frame`; `retention_error` |J t - t| and `retention` |<J t, t>| for the true unit
        tangent t (0 and 1 for a perfect denoiser); `tangent_angle`, degrees from t to the top-5 eigenspace;
        `eigenvalue_1` to `eigenvalue_5` of the symmetric part; `effective_dimension`, the trace of J; `asymmetry`,
        |J - J^T| / |J + J^T| (both by seeded random probes).
    """
    generator = Generator().manual_seed(seed)
    for index in range(1, videos.shape[1], every):
        frames = videos[:, index]
        noisy = frames + sigma * noise_like(frames, generator, denoiser.noise)
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

"""Denoising error against noise level, on frames that a denoiser was trained on and on others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import torch
from jaxtyping import Float
from pydantic import Field, NonNegativeInt, PositiveInt
from torch import Generator, Tensor

from manex.analyses.base import Analysis, Rows, Subject
from manex.analyses.columns import in_255, rows
from manex.analyses.members import part_of, seen, spread
from manex.arrays import Frames
from manex.datasets.dataset import Dataset
from manex.geometry.products import Jacobian
from manex.geometry.tangent import effective_dimension
from manex.noises.draws import noise_like
from manex.settings import GreyLevels
from manex.training.objective import HeldOut

LEAST = torch.finfo(torch.float32).eps ** 2
"""Mean squared error that counts as none: PSNR ends at 138 dB, where float32 does."""


class Curve(Analysis):
    """Noise levels and images.

    Source: Kadkhodaie, Guth, Simoncelli and Mallat 2024 (Generalization in diffusion models arises from
    geometry-adaptive harmonic representations), Fig. 3; Stein 1981 for the estimate of the error without the truth.
    """

    sigma: GreyLevels = Field(
        tuple(level / 255 for level in (1, 2, 4, 8, 15, 25, 40, 60, 100, 160, 255)),
        min_length=1,
        description="noise levels",
    )
    images: PositiveInt = Field(200, description="evenly spread over each split; a small part is taken several times")
    probes: PositiveInt = Field(1, description="random signs per image for the trace of the Jacobian")
    seed: NonNegativeInt = Field(0, description="of the noise; from 100 for development")


def curve(subjects: Sequence[Subject], dataset: Dataset, cfg: Curve) -> Iterator[Rows]:
    """Of each denoiser on each split: `errors`, a row per level and image; `curve`, a row per level.

    Splits are `train`, the frames that the denoiser was trained on, and `held_out`, if frames are held out. All
    denoisers see the same noise, and all levels the same draw of it, scaled.

    * `mse`: |D(y) - x|^2 / N;
    * `level`: |y - D(y)| / (sigma sqrt N), less than 1 by what passes of the noise;
    * `trace`: of the Jacobian, by random signs (Hutchinson): unbiased, rough for one image;
    * `sure`: |y - D(y)|^2 / N - sigma^2 + 2 sigma^2 tr(J) / N, which has the mean of `mse` for any differentiable D;
      empty where the noise is not white;
    * `psnr_in`, `psnr`, `slope`: PSNR in dB of the noise and of the mean error, and the local slope between them, 1 for
      D(y) = y and 0 where the error does not depend on the level.
    """
    for subject in subjects:
        known = seen(subject, dataset)
        names = {"denoiser": subject.label, "n": len(known), "part": part_of(subject)}
        for split, frames in _splits(known, dataset.held_out_frames, cfg.images).items():
            levels = {sigma: _errors(subject, frames, sigma, cfg) for sigma in sorted(set(cfg.sigma))}
            for sigma, errors in levels.items():
                yield rows("errors", {**names, "split": split, "sigma_255": in_255(sigma)}, errors)
            yield rows("curve", {**names, "split": split}, _summary(levels))


def _splits(known: Frames, held_out: HeldOut, count: int) -> dict[str, Tensor]:
    found = {"train": spread(known, count)}
    return found | ({"held_out": spread(held_out, min(count, len(held_out)))} if len(held_out) else {})


def _errors(subject: Subject, frames: Frames, sigma: float, cfg: Curve) -> dict[str, Tensor]:
    """By name, one number per frame."""
    denoiser, generator = subject.denoiser, Generator().manual_seed(cfg.seed)
    clean = frames.to(subject.device)
    noisy = clean + sigma * noise_like(clean, generator, denoiser.noise)
    jacobian = Jacobian(denoiser.at(sigma), noisy)
    trace = effective_dimension(jacobian, cfg.probes, generator)
    residual = (noisy - jacobian.value).square().mean((1, 2, 3))
    sure = residual - sigma**2 + 2 * sigma**2 * trace / jacobian.dimension
    return {
        "image": torch.arange(len(clean)),
        "mse": (jacobian.value - clean).square().mean((1, 2, 3)),
        "level": residual.sqrt() / sigma,
        "trace": trace,
        "sure": sure if denoiser.noise.is_white else torch.full_like(sure, torch.nan),
    }


def _summary(levels: Mapping[float, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """By name, one number per level: means over the images, and PSNR with its slope."""
    means = {name: torch.stack([errors[name].mean() for errors in levels.values()]) for name in _MEANS}
    sigmas = torch.tensor(list(levels), dtype=torch.float64)
    given, psnr = decibels(sigmas.square()), decibels(means["mse"].double().cpu())
    slope = torch.gradient(psnr, spacing=(given,))[0] if len(sigmas) > 1 else torch.full_like(psnr, torch.nan)
    named = {"sigma_255": torch.tensor([in_255(sigma) for sigma in levels], dtype=torch.float64)}
    return {**named, "psnr_in": given, "psnr": psnr, "slope": slope, **means}


_MEANS = ("mse", "level", "trace", "sure")


def decibels(error: Float[Tensor, " n"]) -> Float[Tensor, " n"]:
    """PSNR of mean squared errors, for grey levels in [0, 1]."""
    return -10 * error.clamp(min=LEAST).log10()

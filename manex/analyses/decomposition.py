"""A denoiser, applied again and again, takes an image apart: x = f^n(x) + r_(n-1) + ... + r_0 with r_k = f^k - f^(k+1).

Milanfar and Delbracio (2024, arXiv 2409.06219), section 2, eqs. (9) to (13). The sum is x for any denoiser; r_0 is
"ostensibly high-pass".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from pydantic import Field, PositiveInt
from torch import Generator, Tensor

from manex.analyses.base import Analysis, Rows, Subject
from manex.arrays import FrameMap, Frames
from manex.datasets.dataset import Dataset
from manex.errors import MetricError
from manex.noises.draws import noise_like
from manex.settings import GreyLevels

EDGES = 0.1
"""The share of pixels that are edges: those of the largest gradients of the clean image."""


class Decomposition(Analysis):
    """What is left at each step, on clean and on noisy held-out frames."""

    sigma: GreyLevels = Field((15 / 255, 50 / 255), min_length=1, description="noise levels")
    images: PositiveInt = Field(20, description="held-out frames, evenly spread")
    steps: PositiveInt = Field(6, description="how often the denoiser is applied")


def decomposition(subjects: Sequence[Subject], dataset: Dataset, cfg: Decomposition) -> Iterator[Rows]:
    """One row per denoiser, level, input (`clean` or `noisy`), image and k, of r_k.

    `energy`, |r_k|^2 / (N sigma^2); `centroid`, its mean radial frequency in cycles per pixel, weighted by power;
    `edges`, the share of its energy where the clean image has its largest gradients. NaN where r_k is zero.

    Raises:
        MetricError: no frame is held out.

    Example:
        >>> from manex import Dataset, Tikhonov, Walker, walker
        >>> from manex.analyses.base import Subject
        >>> from manex.analyses.decomposition import Decomposition, decomposition
        >>> dataset = Dataset.of(walker(Walker(people=2, frames=8, dense=20, size=16)), held_out=3)
        >>> cfg = Decomposition(sigma=(0.1,), images=1, steps=3)
        >>> clean, noisy = decomposition([Subject("tikhonov", "tikhonov", Tikhonov(), 0.0)], dataset, cfg)
        >>> noisy.columns["k"], sorted(noisy.columns["centroid"], reverse=True) == noisy.columns["centroid"]
        ([0, 1, 2], True)
    """
    known = dataset.held_out_frames
    if not len(known):
        raise MetricError("no frame is held out, so there is nothing to take apart; set held_out above 0")
    numbers = torch.linspace(0, len(known) - 1, min(cfg.images, len(known))).round().long()
    for subject in subjects:
        clean = known[numbers].to(subject.device)
        noise = noise_like(clean, Generator().manual_seed(0), subject.denoiser.noise)
        for sigma in cfg.sigma:
            for given, frames in {"clean": clean, "noisy": clean + sigma * noise}.items():
                _, parts = decompose(subject.denoiser.at(sigma), frames, cfg.steps)
                names = {"denoiser": subject.label, "sigma_255": float(f"{255 * sigma:.12g}"), "input": given}
                yield _rows(names, numbers, clean, torch.stack(parts, 1), sigma)


@torch.no_grad()
def decompose(denoiser: FrameMap, frames: Frames, steps: int) -> tuple[Frames, list[Frames]]:
    """f^n(x), and r_0 to r_(n-1): their sum is x."""
    parts = []
    for _ in range(steps):
        smoothed = denoiser(frames)
        parts.append(frames - smoothed)
        frames = smoothed
    return frames, parts


def _rows(names: dict[str, Any], numbers: Tensor, clean: Frames, parts: Tensor, sigma: float) -> Rows:
    """Of parts (image, k, channel, height, width)."""
    images, steps = parts.shape[:2]
    power = parts.square().sum(2)
    energy = power.flatten(2).sum(2)
    columns = {
        "image": numbers.repeat_interleave(steps),
        "k": torch.arange(steps).repeat(images),
        "energy": energy / (clean[0].numel() * sigma**2),
        "centroid": _centroid(parts),
        "edges": (power * _edges(clean)[:, None]).flatten(2).sum(2) / energy,
    }
    texts: dict[str, list[Any]] = {name: [value] * (images * steps) for name, value in names.items()}
    return Rows("decomposition", texts | {name: value.flatten().tolist() for name, value in columns.items()})


def _centroid(parts: Tensor) -> Tensor:
    """Mean radial frequency (image, k)."""
    down, across = (torch.fft.fftfreq(n, device=parts.device) for n in parts.shape[-2:])
    radius = (down[:, None] ** 2 + across**2).sqrt()
    power = torch.fft.fft2(parts).abs().square().sum(2)
    return (power * radius).flatten(2).sum(2) / power.flatten(2).sum(2)


def _edges(clean: Frames) -> Tensor:
    """Whether a pixel is one of those with the largest gradients, (image, height, width)."""
    down, across = torch.gradient(clean, dim=(-2, -1))
    slope = (down.square() + across.square()).sum(1)
    count = math.ceil(EDGES * slope[0].numel())
    best = slope.flatten(1).topk(count).indices
    marked = torch.zeros_like(slope.flatten(1)).scatter(1, best, 1.0)
    return marked.reshape(slope.shape)

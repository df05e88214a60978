"""What a denoiser takes for images: samples of its prior, and the images of the dataset nearest to them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from pydantic import Field, NonNegativeInt, PositiveInt
from torch import Tensor

from manex.analyses.base import Analysis, Pictures, Rows, Subject
from manex.analyses.columns import in_255, rows
from manex.arrays import Frames, lengths
from manex.datasets.dataset import Dataset
from manex.denoisers.base import Denoiser
from manex.metrics.cosines import cosines
from manex.noises.draws import ItemNoise
from manex.samplers.counted import counted
from manex.samplers.stochastic_ascent import Fraction, StochasticAscent, stochastic_ascent

HELD_OUT = "held out"
"""Stands for a denoiser in the rows of images that no training saw."""


class Samples(Analysis):
    """Samples by stochastic ascent from noise around the mean of the training frames."""

    samples: PositiveInt = Field(64, description="per denoiser and beta")
    betas: tuple[Fraction, ...] = Field((1.0, 0.5, 0.1), min_length=1, description="1: no noise is added on the way")
    seed: NonNegativeInt = Field(0, description="of the noise")
    shown: PositiveInt = Field(12, description="samples per beta that are drawn")


def samples(subjects: Sequence[Subject], dataset: Dataset, cfg: Samples) -> Iterator[Rows | Pictures]:
    """One row per denoiser, beta and sample, with its cosine to the nearest training and held-out frame.

    Cosines are of images without their mean: some priors are cones, which do not know how bright an image is. As many
    held-out frames follow, each with its cosine to the nearest other one: samples as good as they have such cosines.
    The pictures are those of the first denoiser, a row per beta, and the training frames nearest to them.
    """
    known = dataset.training_frames
    for subject in subjects:
        shown = []
        for beta in cfg.betas:
            noise = ItemNoise([(cfg.seed, item) for item in range(cfg.samples)], subject.denoiser.noise)
            ascent = StochasticAscent(sigma_start=most_noise(subject.denoiser), beta=beta)
            mean = known.to(subject.device).mean(0, keepdim=True).expand(cfg.samples, -1, -1, -1)
            start = mean + ascent.sigma_start * noise.like(mean)
            end, steps = counted(stochastic_ascent(subject.denoiser, start, ascent, noise))
            names = {"denoiser": subject.label, "beta": beta}
            found = {"steps": steps, "level": end.level, "diverged": end.diverged}
            yield _rows({**names, "sigma_start_255": in_255(ascent.sigma_start)}, found, end.clean.cpu(), dataset)
            shown.append(end.clean[: cfg.shown].cpu())
        if subject is subjects[0]:
            drawn = torch.stack(shown)
            near = known[cosines(drawn.flatten(0, 1), known).argmax(1)].reshape(drawn.shape)
            yield Pictures({"samples": drawn.clamp(0, 1), "nearest": near})
    new = dataset.held_out_frames[: cfg.samples]
    if len(new) > 1:
        names = {"denoiser": HELD_OUT, "beta": math.nan, "sigma_start_255": math.nan}
        zeros = torch.zeros(len(new))
        still = {"steps": zeros.int(), "level": zeros, "diverged": zeros > 0}
        yield _rows(names, still, new, dataset, themselves=True)


def most_noise(denoiser: Denoiser) -> float:
    """Where an ascent begins: at level 1, or at the largest one that the denoiser knows."""
    return min(1.0, denoiser.sigma_range[1]) if denoiser.sigma_range else 1.0


def _rows(
    names: Mapping[str, Any], found: Mapping[str, Tensor], drawn: Frames, dataset: Dataset, themselves: bool = False
) -> Rows:
    """Args: themselves: whether `drawn` are the first held-out frames, which are not to be compared to themselves."""
    train, new = cosines(drawn, dataset.training_frames), cosines(drawn, dataset.held_out_frames)
    if themselves:
        new.fill_diagonal_(-1)
    columns = {
        "sample": torch.arange(len(drawn)),
        **found,
        "norm": lengths(drawn).flatten(),
        "cosine_train": train.amax(1),
        "nearest_train": train.argmax(1),
        "cosine_held_out": new.amax(1) if new.shape[1] else torch.full((len(drawn),), math.nan),
    }
    return rows("samples", names, columns)

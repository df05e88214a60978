"""How well walks do at every noise level: what a denoiser knows shows at the level where it walks best."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, ClassVar

import torch
from pydantic import Field, NonNegativeInt
from torch import Tensor

from manex.analyses.base import Analysis, Rows, Subject
from manex.arrays import Videos
from manex.datasets.dataset import Dataset
from manex.extrapolators.walk import walk
from manex.metrics.scores import score
from manex.noises.draws import ItemNoise
from manex.settings import GreyLevels


class Levels(Analysis):
    """Walks at a list of noise levels, with their other settings as they are, and the scores of what they generate."""

    on_videos: ClassVar[bool] = True

    sigma: GreyLevels = Field(
        tuple(level / 255 for level in (5, 15, 30, 60, 110, 160, 220, 255)), min_length=1, description="noise levels"
    )
    seeds: tuple[NonNegativeInt, ...] = Field((100,), min_length=1, description="of trials; from 100 for development")


def levels(subjects: Sequence[Subject], dataset: Dataset, cfg: Levels) -> Iterator[Rows]:
    """One row per walk, noise level, trial and video: DTW-SSID with the uniform window, and coverage.

    Raises:
        ValueError: a subject without the settings of its walk.
    """
    for subject in subjects:
        for sigma in cfg.sigma:
            for seed in cfg.seeds:
                scores = score(dataset, _walked(subject, dataset.videos, sigma, seed).cpu())
                names = {
                    "walk": subject.name,
                    "denoiser": subject.label,
                    "sigma_255": float(f"{255 * sigma:.12g}"),
                    "seed": seed,
                }
                columns: dict[str, Sequence[Any]] = {key: [value] * len(scores) for key, value in names.items()}
                numbers = {key: [one.numbers[key] for one in scores] for key in ("dtw_ssid", "coverage")}
                yield Rows("levels", {**columns, "video": range(len(scores)), **numbers})


def _walked(subject: Subject, videos: Videos, sigma: float, seed: int) -> Tensor:
    """The given frames and those of the walk; its noise is that of the same trial in the stage `extrapolate`."""
    if subject.settings is None:
        raise ValueError(f"{subject.name}: the settings of its walk are needed")
    first, second = videos[:, :2].to(subject.device).unbind(1)
    noise = ItemNoise([(seed, video) for video in range(len(videos))], subject.denoiser.noise)
    settings = subject.settings.model_copy(update={"sigma": sigma})
    states = islice(walk(settings, subject.denoiser, first, second, noise), subject.frames)
    return torch.stack([first, second, *(state.frame for state in states)], 1).clamp(0, 1)

"""The top eigenspace of the denoiser's Jacobian along a video: which directions it keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import Generator

from manex.analyses.base import Analysis, Pictures, Rows, Subject
from manex.datasets.dataset import Dataset
from manex.geometry.eigen import top_eigenspace
from manex.geometry.products import Jacobian
from manex.noises.draws import noise_like


class Spectrum(Analysis):
    """Eigenpairs of (J + J^T) / 2 at frames of one video."""

    on_videos: ClassVar[bool] = True

    video: int = Field(2, ge=0, description="number of the video; the last one if there are fewer")
    frames: int = Field(7, ge=1, description="frames looked at, evenly spaced")
    values: int = Field(12, ge=1, description="eigenvalues per frame")
    vectors: int = Field(4, ge=1, description="eigenvectors per frame that are kept")


def spectrum(subjects: Sequence[Subject], dataset: Dataset, cfg: Spectrum) -> Iterator[Rows | Pictures]:
    """Eigenvalues as rows; eigenvectors of the first subject as pictures.

    Each frame is taken with one noisy copy at the subject's noise level.
    """
    video = dataset.videos[min(cfg.video, len(dataset.videos) - 1)]
    numbers = torch.linspace(0, len(video) - 1, min(cfg.frames, len(video))).round().int()
    for subject in subjects:
        points = video[numbers].to(subject.device)
        noise = noise_like(points, Generator().manual_seed(0), subject.denoiser.noise)
        jacobian = Jacobian(subject.denoiser.at(subject.sigma), points + subject.sigma * noise)
        space = top_eigenspace(jacobian, min(cfg.values, jacobian.dimension), tolerance=0.05, max_products=100)
        count = space.values.shape[1]
        columns: dict[str, Sequence[Any]] = {
            "walk": [subject.name] * (len(points) * count),
            "denoiser": [subject.label] * (len(points) * count),
            "sigma_255": [255 * subject.sigma] * (len(points) * count),
            "frame": numbers.repeat_interleave(count).tolist(),
            "k": list(range(1, count + 1)) * len(points),
            "eigenvalue": space.values.flatten().tolist(),
        }
        yield Rows("eigenvalues", columns)
        if subject is subjects[0]:
            yield Pictures({"frames": points, "values": space.values, "vectors": space.vectors[:, : cfg.vectors]})

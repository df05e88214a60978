"""The scores of extrapolated videos: DTW-SSID, and where each frame is on the latent manifold."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from manex.datasets.dataset import Dataset
from manex.errors import MetricError
from manex.metrics.coordinates import CoordinateSummary, summarize, trace
from manex.metrics.dtw import aligned_distances, dtw_scores, unwarped_distances
from manex.metrics.ssim import Window, ssim_distances

COORDINATES = tuple(field.name for field in fields(CoordinateSummary))
"""Scores that need a known manifold; NaN where none is known."""
NUMBERS = ("dtw_ssid", "dtw_ssid_greedy", *COORDINATES)
"""Every score of a video."""


@dataclass(frozen=True)
class VideoScore:
    """One extrapolated video.

    Attributes:
        numbers: by the names in `NUMBERS`.
        frames: columns of equal length, one row per frame: `aligned_distance` and `unwarped_distance` for truth frames,
            `coordinate` and `manifold_distance` for generated ones, NaN beyond the end of the shorter video.
    """

    numbers: dict[str, float]
    frames: dict[str, Float[np.ndarray, " frame"]]


def score(
    dataset: Dataset, videos: Float[Tensor, "video frame channel height width"], window: Window = "uniform"
) -> list[VideoScore]:
    """Score one trial: a generated video for every true one, the two given frames included.

    Args:
        videos: grey levels in [0, 1]; they need not be as long as the true ones.
        window: of SSIM, see manex/metrics/ssim.py.

    Raises:
        MetricError: a video that has no score, by its number, or no videos at all.

    Example:
        >>> from manex import Dataset, Walker, score, walker
        >>> dataset = Dataset.of(walker(Walker(people=2, frames=8, dense=80, size=16)), held_out=0)
        >>> [round(found.numbers["dtw_ssid"], 6) for found in score(dataset, dataset.videos)]
        [0.0, 0.0]
    """
    if not len(dataset.videos):
        raise MetricError("the dataset has no videos, so there is nothing to score")
    if len(videos) != len(dataset.videos):
        raise MetricError(f"{len(videos)} generated videos for {len(dataset.videos)} true ones")
    distances = torch.stack([_distances(dataset.videos[v], videos[v], v, window) for v in range(len(videos))])
    aligned = dtw_scores(distances, paths=True)
    assert aligned.exact_paths is not None
    scores = []
    for v, video in enumerate(videos):
        summary, along = _coordinates(dataset, video, v)
        numbers = {"dtw_ssid": float(aligned.exact[v]), "dtw_ssid_greedy": float(aligned.greedy[v]), **summary}
        columns = {
            "aligned_distance": aligned_distances(distances[v], aligned.exact_paths[v]),
            "unwarped_distance": unwarped_distances(distances[v]),
            **along,
        }
        longest = max(len(column) for column in columns.values())
        scores.append(VideoScore(numbers, {name: _padded(column, longest) for name, column in columns.items()}))
    return scores


def _distances(truth: Tensor, generated: Tensor, number: int, window: Window) -> Tensor:
    try:
        return ssim_distances(truth, generated, window=window)
    except MetricError as error:
        raise MetricError(f"video {number}: {error}") from None


def _coordinates(dataset: Dataset, video: Tensor, number: int) -> tuple[dict[str, float], dict[str, np.ndarray]]:
    """The summary, and the coordinate of every frame."""
    if not dataset.manifolds:
        nothing = np.full(len(video), np.nan)
        return dict.fromkeys(COORDINATES, float("nan")), {"coordinate": nothing, "manifold_distance": nothing}
    found = trace(dataset.manifolds[number], video)
    summary = summarize(dataset.manifolds[number], found)
    numbers = {name: getattr(summary, name) for name in COORDINATES}
    return numbers, {"coordinate": found.unwrapped, "manifold_distance": found.distance}


def _padded(column: Float[np.ndarray, " some"], length: int) -> Float[np.ndarray, " frame"]:
    return np.concatenate([column, np.full(length - len(column), np.nan)])

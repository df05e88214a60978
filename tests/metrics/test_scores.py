from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from manex.datasets.dataset import Dataset
from manex.datasets.walker import Walker, walker
from manex.errors import MetricError
from manex.metrics.dtw import dtw_ssid
from manex.metrics.scores import COORDINATES, NUMBERS, score
from manex.metrics.ssim import ssim_distances


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return Dataset.of(walker(Walker(people=2, frames=20, dense=200, size=16)), held_out=4)


@pytest.fixture
def noise(dataset: Dataset, generator: torch.Generator) -> Tensor:
    return torch.rand(dataset.videos.shape, generator=generator)


def test_the_truth_itself_is_at_distance_zero_and_sweeps_the_whole_manifold(dataset: Dataset) -> None:
    """It ends one step before the first frame of the next turn, and its first step is given."""
    for found in score(dataset, dataset.videos):
        assert found.numbers["dtw_ssid"] == pytest.approx(0, abs=1e-9)
        assert found.numbers["dtw_ssid_greedy"] == pytest.approx(0, abs=1e-9)
        assert found.numbers["coverage"] == pytest.approx(18 / 20)
        assert found.numbers["reversals"] == found.numbers["jumps"] == found.numbers["stalls"] == 0
        assert found.numbers["distance"] == pytest.approx(0, abs=1e-6)
        assert dataset.coordinates is not None
        np.testing.assert_allclose(found.frames["coordinate"], dataset.coordinates.numpy(), atol=1e-9)


def test_every_video_is_scored_against_its_own_truth(dataset: Dataset, noise: Tensor) -> None:
    scores = score(dataset, noise)
    for truth, video, found in zip(dataset.videos, noise, scores, strict=True):
        assert set(found.numbers) == set(NUMBERS)
        distances = ssim_distances(truth, video)
        assert found.numbers["dtw_ssid"] == pytest.approx(dtw_ssid(distances))
        assert found.numbers["dtw_ssid_greedy"] == pytest.approx(dtw_ssid(distances, "greedy"))
        np.testing.assert_allclose(found.frames["unwarped_distance"], distances.diagonal())
        assert found.frames["aligned_distance"].mean() == pytest.approx(found.numbers["dtw_ssid"])


@pytest.mark.parametrize("length", [7, 33])
def test_columns_end_with_nan_where_one_video_is_shorter(length: int, dataset: Dataset) -> None:
    videos = dataset.videos.repeat(1, 2, 1, 1, 1)[:, :length]
    for found in score(dataset, videos):
        ends = {"aligned_distance": 20, "unwarped_distance": min(20, length), "coordinate": length}
        for name, end in {**ends, "manifold_distance": length}.items():
            column = found.frames[name]
            assert len(column) == max(20, length)
            assert np.isfinite(column[:end]).all()
            assert np.isnan(column[end:]).all()


def test_where_no_manifold_is_known_there_are_no_coordinates(dataset: Dataset) -> None:
    unknown = replace(dataset, manifolds=(), coordinates=None)
    for known, found in zip(score(dataset, dataset.videos), score(unknown, dataset.videos), strict=True):
        assert all(np.isnan(found.numbers[name]) for name in COORDINATES)
        assert np.isnan(found.frames["coordinate"]).all()
        assert found.numbers["dtw_ssid"] == known.numbers["dtw_ssid"]


def test_a_video_that_cannot_be_scored_is_named(dataset: Dataset) -> None:
    videos = dataset.videos.clone()
    videos[1, 5] = 2.0
    with pytest.raises(MetricError, match="video 1: generated frame 5 leaves the grey range"):
        score(dataset, videos)


def test_every_video_needs_a_generated_one(dataset: Dataset) -> None:
    with pytest.raises(MetricError, match="1 generated videos for 2 true ones"):
        score(dataset, dataset.videos[:1])


def test_a_dataset_without_videos_has_nothing_to_score(dataset: Dataset) -> None:
    stills = replace(dataset, videos=dataset.videos[:0], manifolds=(), coordinates=None)
    with pytest.raises(MetricError, match="no videos"):
        score(stills, stills.videos)

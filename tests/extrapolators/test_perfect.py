"""The floor: the true motion at another speed."""

from __future__ import annotations

from itertools import islice

import pytest
import torch

from manex.datasets.dataset import Dataset
from manex.datasets.walker import Walker, walker
from manex.denoisers.truth import Truth
from manex.errors import GeometryError
from manex.extrapolators.perfect import Perfect
from manex.extrapolators.walk import walk
from manex.metrics.scores import score
from manex.noises.draws import ItemNoise

PEOPLE, FRAMES = 3, 12


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return Dataset.of(walker(Walker(people=PEOPLE, frames=FRAMES, dense=20 * FRAMES, size=16)), held_out=0)


def walked(dataset: Dataset, speed: float, frames: int, order: list[int]) -> torch.Tensor:
    given = dataset.videos[order]
    states = walk(Perfect(speed=speed), Truth.of(dataset), given[:, 0], given[:, 1], ItemNoise([(v,) for v in order]))
    return torch.stack([state.frame for state in islice(states, frames)], 1)


def test_at_the_true_speed_it_is_the_true_video_and_stays_at_its_end(dataset: Dataset) -> None:
    order = [2, 0, 1]
    found = walked(dataset, 1, FRAMES, order)
    assert torch.allclose(found[:, : FRAMES - 2], dataset.videos[order][:, 2:], atol=1e-6)
    assert torch.equal(found[:, FRAMES - 3], found[:, FRAMES - 1])


def test_at_half_the_speed_every_other_frame_is_true_and_those_between_lie_on_the_manifold(dataset: Dataset) -> None:
    found = walked(dataset, 0.5, 2 * (FRAMES - 2), list(range(PEOPLE)))
    assert torch.allclose(found[:, 1::2], dataset.videos[:, 2:], atol=1e-6)
    assert all(float(s.numbers["distance"]) < 1e-3 for s in score(dataset, found[:, ::2]))


def test_what_begins_no_true_video_is_refused(dataset: Dataset) -> None:
    strange = 1 - dataset.videos[:, 0]
    with pytest.raises(GeometryError, match="begins none"):
        next(walk(Perfect(speed=1), Truth.of(dataset), strange, dataset.videos[:, 1], ItemNoise([(0,)] * PEOPLE)))

"""Walks over planes, on a circle known exactly."""

from __future__ import annotations

import math
from itertools import islice

import pytest
from circle import Broken, cosines, distance, oracle, point, steps

from manex.errors import WalkError
from manex.extrapolators.base import WalkState
from manex.extrapolators.perturbation_pca import PerturbationPca
from manex.extrapolators.walk import walk
from manex.noises.draws import ItemNoise

GIVEN = 0.1
CFG = PerturbationPca(sigma=25 / 255, rank=1)


def states(step: float = GIVEN, frames: int = 65) -> list[WalkState]:
    first, second = point([0.0, 2.0]), point([step, 2.0 + step])
    return list(islice(walk(CFG, oracle(), first, second, ItemNoise([(0, 0), (0, 1)])), frames))


def test_the_walk_goes_all_round_the_circle_and_stays_on_it() -> None:
    walked = states()
    advanced = steps(walked, [GIVEN, 2 + GIVEN])
    assert advanced.min() > 0
    assert advanced.sum(0).min() > 2 * math.pi * 0.95
    assert max(distance(state.frame).max().item() for state in walked) < 0.1


def test_the_heading_is_the_tangent() -> None:
    """Within the width of a cloud, which is sigma."""
    assert cosines(states()).min() > math.cos(0.12)


def test_swapped_frames_walk_the_other_way() -> None:
    assert steps(states(step=-GIVEN, frames=20), [-GIVEN, 2 - GIVEN]).sum(0).max() < -1.5


def test_a_cloud_of_values_that_are_not_finite_ends_the_walk() -> None:
    with pytest.raises(WalkError, match="not finite"):
        next(walk(CFG, Broken(), point(0.0), point(0.1), ItemNoise([(0, 0)])))

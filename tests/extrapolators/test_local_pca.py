"""Walks over planes, on a circle known exactly."""

from __future__ import annotations

import math
from itertools import islice

import pytest
import torch
from circle import cosines, distance, point, steps

from manex.denoisers.memoriser import Memoriser
from manex.extrapolators.base import WalkState
from manex.extrapolators.local_pca import LocalPca
from manex.extrapolators.walk import walk
from manex.noises.draws import ItemNoise

GIVEN = 0.1
CFG = LocalPca(neighbours=3, rank=1)


def known(samples: int = 100) -> Memoriser:
    """Samples of the circle in no order."""
    shuffled = torch.randperm(samples, generator=torch.Generator().manual_seed(0)).double()
    return Memoriser(point(shuffled * 2 * math.pi / samples))


def states(cfg: LocalPca = CFG, step: float = GIVEN, frames: int = 65) -> list[WalkState]:
    first, second = point([0.0, 2.0]), point([step, 2.0 + step])
    return list(islice(walk(cfg, known(), first, second, ItemNoise([(0, 0), (0, 1)])), frames))


def test_the_walk_goes_all_round_the_circle_and_stays_on_it() -> None:
    walked = states()
    advanced = steps(walked, [GIVEN, 2 + GIVEN])
    assert advanced.min() > 0
    assert advanced.sum(0).min() > 2 * math.pi * 0.95
    assert max(distance(state.frame).max().item() for state in walked) < 0.1


def test_the_heading_is_the_tangent() -> None:
    """Within half the spacing of neighbouring samples."""
    assert cosines(states()).min() > math.cos(0.12)


def test_swapped_frames_walk_the_other_way() -> None:
    assert steps(states(step=-GIVEN, frames=20), [-GIVEN, 2 - GIVEN]).sum(0).max() < -1.5


@pytest.mark.parametrize(("speed", "tolerance"), [(1.0, 0.05), (2.0, 0.1)])
def test_a_frame_advances_by_speed_times_the_given_step(speed: float, tolerance: float) -> None:
    walked = states(CFG.model_copy(update={"speed": speed}))
    mean = steps(walked, [GIVEN, 2 + GIVEN]).mean().item()
    assert mean == pytest.approx(speed * GIVEN, rel=tolerance)

from __future__ import annotations

import math
from itertools import islice

import pytest
import torch
from circle import angle, cosines, distance, oracle, point, steps

from manex.extrapolators.base import WalkState
from manex.extrapolators.tangent_flow import TangentFlow, interpolate
from manex.extrapolators.walk import walk
from manex.noises.draws import ItemNoise

CFG = TangentFlow(sigma=25 / 255, substeps=2)
GIVEN = 0.1
"""Angle between the two given frames: 63 such steps are the whole circle."""


def states(cfg: TangentFlow = CFG, step: float = GIVEN, videos: int = 3, frames: int = 70) -> list[WalkState]:
    first, second = point(torch.zeros(videos)), point(torch.full((videos,), step))
    noise = ItemNoise([(0, video) for video in range(videos)])
    return list(islice(walk(cfg, oracle(), first, second, noise), frames))


def test_the_walk_goes_all_round_the_circle_without_turning_back() -> None:
    advanced = steps(states(), [GIVEN] * 3)
    assert advanced.min() > 0
    assert advanced.sum(0).min() > 2 * math.pi


def test_the_walk_stays_on_the_circle() -> None:
    """A step of noise sigma in 16 dimensions leads sigma * 4 = 0.39 away; denoising brings it back."""
    assert max(distance(state.frame).max().item() for state in states()) < 0.06


def test_the_heading_is_the_tangent() -> None:
    assert cosines(states()).min() > math.cos(0.2)


@pytest.mark.parametrize("speed", [1.0, 2.0])
def test_a_frame_advances_by_speed_times_the_given_step(speed: float) -> None:
    mean = steps(states(CFG.model_copy(update={"speed": speed})), [GIVEN] * 3).mean().item()
    assert mean == pytest.approx(speed * GIVEN, rel=0.05)


@pytest.mark.parametrize(
    "changes",
    [
        {"products": 2},
        {"substeps": 1},
        {"momentum": 0.0},
        {"momentum": 2.0},
        {"draws": 4},
        {"corrector": 1},
        {"sigma": 15 / 255},
    ],
    ids=str,
)
def test_with_any_option_the_walk_goes_forward_on_the_circle(changes: dict[str, object]) -> None:
    walked = states(CFG.model_copy(update=changes), frames=20)
    assert steps(walked, [GIVEN] * 3).mean(0).min() > 0.8 * GIVEN
    assert max(distance(state.frame).max().item() for state in walked) < 0.08


def test_swapped_frames_walk_the_other_way() -> None:
    forward = states(frames=20)
    backward = states(step=-GIVEN, frames=20)
    assert steps(forward, [GIVEN] * 3).sum(0).min() > 1.5
    assert steps(backward, [-GIVEN] * 3).sum(0).max() < -1.5


def test_frames_are_grey_levels() -> None:
    for state in states():
        assert state.frame.min() >= 0
        assert state.frame.max() <= 1


@pytest.mark.parametrize("end", [0.5, 1.5, -1.5])
def test_interpolation_goes_through_the_middle_along_the_circle(end: float) -> None:
    noise = ItemNoise([(0, video) for video in range(3)])
    start = point(torch.zeros(3))
    between = [s.frame for s in interpolate(oracle(), start, point(torch.full((3,), end)), 9, CFG, noise)]
    assert len(between) == 9
    torch.testing.assert_close(angle(between[4]), torch.full((3,), end / 2).double(), rtol=0, atol=0.1 * abs(end))
    assert max(distance(frame).max().item() for frame in between) < 0.06


def test_interpolation_advances_evenly_to_the_end() -> None:
    noise = ItemNoise([(0, video) for video in range(3)])
    between = [s.frame for s in interpolate(oracle(), point(torch.zeros(3)), point(torch.ones(3)), 9, CFG, noise)]
    angles = torch.stack([torch.zeros(3).double(), *(angle(frame) for frame in between), torch.ones(3).double()])
    assert angles.diff(dim=0).min() > 0
    assert angles.diff(dim=0).max() < 0.2

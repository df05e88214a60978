"""Walks over planes, on a circle known exactly."""

from __future__ import annotations

import math

import pytest
import torch
from circle import Broken, angle, distance, oracle, point, tangent
from torch import Tensor

from pipeline.config.methods import Method
from pipeline.config.rivals import LocalPca, PerturbationPca
from manex.extrapolators.base import ItemNoise, TrainingFrames, WalkError, WalkState
from manex.extrapolators.walk import walk

GIVEN = 0.1
LOCAL = LocalPca(algorithm="local_pca", frames=65, neighbours=3, rank=1)
CLOUD = PerturbationPca(algorithm="perturbation_pca", frames=65, sigma_255=25, rank=1)


def states(cfg: Method, step: float = GIVEN, samples: int = 100) -> list[WalkState]:
    shuffled = torch.randperm(samples, generator=torch.Generator().manual_seed(0)).double()
    known = TrainingFrames(point(shuffled * 2 * math.pi / samples))
    model = known if isinstance(cfg, LocalPca) else oracle()
    first, second = point(torch.tensor([0.0, 2.0])), point(torch.tensor([step, 2.0 + step]))
    return list(walk(cfg, model, first, second, ItemNoise([(0, 0), (0, 1)])))


def steps(walked: list[WalkState], start: float = GIVEN) -> Tensor:
    angles = torch.stack([torch.tensor([start, 2 + start]).double(), *(angle(state.frame) for state in walked)])
    return torch.remainder(angles.diff(dim=0) + math.pi, 2 * math.pi) - math.pi


@pytest.mark.parametrize("cfg", [LOCAL, CLOUD], ids=lambda cfg: cfg.algorithm)
def test_the_walk_goes_all_round_the_circle_and_stays_on_it(cfg: Method) -> None:
    walked = states(cfg)
    assert steps(walked).min() > 0
    assert steps(walked).sum(0).min() > 2 * math.pi * 0.95
    assert max(distance(state.frame).max().item() for state in walked) < 0.1


@pytest.mark.parametrize("cfg", [LOCAL, CLOUD], ids=lambda cfg: cfg.algorithm)
def test_the_heading_is_the_tangent(cfg: Method) -> None:
    """Of neighbouring samples, within half their spacing; of a cloud, within its width sigma."""
    for state in states(cfg):
        cosine = (state.heading * tangent(angle(state.frame))).flatten(1).sum(1)
        assert cosine.min() > math.cos(0.12)


@pytest.mark.parametrize("cfg", [LOCAL, CLOUD], ids=lambda cfg: cfg.algorithm)
def test_swapped_frames_walk_the_other_way(cfg: Method) -> None:
    shorter = cfg.model_copy(update={"frames": 20})
    assert steps(states(shorter, -GIVEN), -GIVEN).sum(0).max() < -1.5


def test_twice_the_speed_advances_twice_as_far() -> None:
    mean = [steps(states(LOCAL.model_copy(update={"speed": speed}))).mean().item() for speed in (1.0, 2.0)]
    assert mean[0] == pytest.approx(GIVEN, rel=0.05)
    assert mean[1] == pytest.approx(2 * GIVEN, rel=0.1)


def test_a_cloud_of_values_that_are_no_numbers_ends_the_walk() -> None:
    with pytest.raises(WalkError, match="not finite"):
        list(walk(CLOUD, Broken(), point(0.0), point(0.1), ItemNoise([(0, 0)])))

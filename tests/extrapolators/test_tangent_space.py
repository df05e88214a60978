from __future__ import annotations

import math
from itertools import islice

import pytest
import torch
from circle import angle, distance, oracle, point, tangent
from torch import Tensor

from manex.extrapolators.base import WalkState
from manex.extrapolators.linear import Linear
from manex.extrapolators.tangent_space import TangentSpace
from manex.extrapolators.walk import walk
from manex.noises.draws import ItemNoise

LITERAL = TangentSpace(sigma=15 / 255, eta=1, rank=1)
CLEAN = LITERAL.model_copy(update={"velocity": "clean", "step": "given"})
LINEAR = Linear(sigma=15 / 255, eta=1)
VIDEOS = 6


def states(cfg: TangentSpace | Linear, frames: int = 20) -> list[WalkState]:
    first, second = point(torch.zeros(VIDEOS)), point(torch.full((VIDEOS,), 0.2))
    noise = ItemNoise([(0, video) for video in range(VIDEOS)])
    return list(islice(walk(cfg, oracle(), first, second, noise), frames))


def off_tangent(walked: list[WalkState]) -> Tensor:
    """Angle between each heading and the circle's tangent where it starts, shape (frame, video)."""
    starts = [torch.full((VIDEOS,), 0.2).double(), *(angle(state.frame) for state in walked[:-1])]
    cosines = [(s.heading * tangent(a)).flatten(1).sum(1).abs() for s, a in zip(walked, starts, strict=True)]
    return torch.stack(cosines).clamp(max=1).acos()


def test_the_top_eigenvector_heads_along_the_tangent() -> None:
    """At a noisy point the tangent is that of the nearest point, about sigma away on a circle of radius 1."""
    assert off_tangent(states(LITERAL)).max() < 6 * 15 / 255


def test_the_linear_baseline_does_not_head_along_the_tangent() -> None:
    assert off_tangent(states(LINEAR)).median() > math.radians(45)


def test_the_walk_stays_closer_to_the_circle_than_the_linear_baseline() -> None:
    farthest = [max(distance(state.frame).max().item() for state in states(cfg)) for cfg in (LITERAL, LINEAR)]
    assert farthest[0] < farthest[1]


def test_with_clean_velocities_the_first_frame_advances_by_the_given_step() -> None:
    """On average: each video's noise displaces it by about sigma."""
    advanced = angle(states(CLEAN)[0].frame) - 0.2
    assert abs(advanced.mean().item() - 0.2) < 4 * 15 / 255 / VIDEOS**0.5


@pytest.mark.parametrize("eta", [0.3, 2.0])
def test_the_step_scales_with_eta(eta: float) -> None:
    """Alike noise in both: it cancels."""
    one, other = (states(CLEAN.model_copy(update={"eta": e}))[0] for e in (1.0, eta))
    shift = angle(other.frame) - angle(one.frame)
    torch.testing.assert_close(shift, torch.full((VIDEOS,), 0.2 * (eta - 1)).double(), rtol=0.1, atol=0.01)


def test_the_one_tangent_direction_of_a_circle_has_an_eigenvalue_near_one() -> None:
    values = torch.stack([state.record["eigenvalue_1"] for state in states(LITERAL)])
    assert (values - 1).abs().max() < 0.35
    assert values.mean().item() == pytest.approx(1, abs=0.1)


def test_the_largest_gap_finds_the_dimension_of_the_circle() -> None:
    walked = states(LITERAL.model_copy(update={"rank": 4, "rank_rule": "gap"}), frames=3)
    assert all((state.record["rank"] == 1).all() for state in walked)


@pytest.mark.parametrize("solver", ["subspace", "deflated", "exact"])
def test_every_solver_walks_the_same_way(solver: str) -> None:
    cfg = CLEAN.model_copy(update={"tolerance": 1e-6, "max_products": 2000})
    expected = states(cfg, frames=4)[-1].frame
    found = states(cfg.model_copy(update={"solver": solver}), frames=4)[-1].frame
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-4)


def test_a_denoiser_that_is_a_posterior_mean_has_no_asymmetry() -> None:
    assert max(state.record["asymmetry"].max().item() for state in states(LITERAL)) < 1e-6


def test_clipped_frames_are_grey_levels() -> None:
    cfg = LITERAL.model_copy(update={"clip": True, "corrector": 1, "eta": 5.0})
    assert all(state.frame.min() >= 0 and state.frame.max() <= 1 for state in states(cfg))


def test_the_correctors_steps_alone_come_as_near_to_the_circle_as_one_denoising() -> None:
    """Each step halves what is left of the noise, so one is not enough and twelve are."""
    alone = CLEAN.model_copy(update={"denoise": False})
    farthest = {
        steps: max(
            distance(state.frame).max().item()
            for state in states(alone.model_copy(update={"corrector": steps}), frames=6)
        )
        for steps in (1, 12)
    }
    assert farthest[12] < 0.01 < farthest[1]

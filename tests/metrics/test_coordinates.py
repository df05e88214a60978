from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from manex.datasets.manifold import LatentManifold
from manex.errors import MetricError
from manex.metrics.coordinates import CoordinateSummary, shorter_way, summarize, trace, union_length


def hand(degrees: torch.Tensor) -> torch.Tensor:
    """A soft clock hand: one period is 360 degrees, every angle a different image."""
    y, x = torch.meshgrid(torch.linspace(-1, 1, 16), torch.linspace(-1, 1, 16), indexing="ij")
    angle = torch.deg2rad(degrees)[:, None, None]
    along, across = x * angle.cos() + y * angle.sin(), y * angle.cos() - x * angle.sin()
    return (torch.exp(-8 * across**2) * torch.sigmoid(10 * along))[:, None]


def bar(shift: torch.Tensor) -> torch.Tensor:
    """A soft vertical bar, shifted by so many pixels."""
    x = torch.arange(24.0) - 11.5
    return torch.exp(-((x - shift[:, None, None]) ** 2) / 8).expand(-1, 8, -1)[:, None]


def circle(spacing: float = 0.5) -> LatentManifold:
    angles = torch.arange(0, 360, spacing)
    return LatentManifold(hand(angles), angles, period=360.0)


def segment(spacing: float = 0.05) -> LatentManifold:
    shifts = torch.arange(round(12 / spacing) + 1) * spacing - 6
    return LatentManifold(bar(shifts), shifts)


def turn(*degrees: float) -> CoordinateSummary:
    manifold = circle()
    return summarize(manifold, trace(manifold, hand(torch.tensor(degrees))))


def slide(*shifts: float) -> CoordinateSummary:
    manifold = segment()
    return summarize(manifold, trace(manifold, bar(torch.tensor(shifts))))


def test_a_frame_of_the_manifold_is_traced_to_within_half_a_spacing(generator):
    angles = 360 * torch.rand(50, generator=generator)
    track = trace(circle(), hand(angles))
    assert np.abs(shorter_way(track.coordinate - angles.double().numpy(), 360.0)).max() <= 0.25 + 1e-3
    assert track.distance.max() < 0.01


def test_the_distance_is_the_rms_difference_to_the_nearest_sample():
    manifold = circle()
    track = trace(manifold, manifold.frames[40:42] + torch.tensor([0.0, 0.1])[:, None, None, None])
    np.testing.assert_allclose(track.distance[0], 0, atol=1e-12)
    rms = (manifold.frames[41] + 0.1 - manifold.frames).square().mean((1, 2, 3)).sqrt().min()
    np.testing.assert_allclose(track.distance[1], rms, rtol=1e-5)


def test_a_walk_over_the_seam_is_unwrapped():
    track = trace(circle(), hand(torch.tensor([340.0, 350, 0, 10, 20, 10, 355])))
    np.testing.assert_allclose(track.unwrapped, [340, 350, 360, 370, 380, 370, 355])
    np.testing.assert_allclose(track.coordinate, [340, 350, 0, 10, 20, 10, 355])


@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize(("steps", "share"), [(36, 1.0), (50, 1.0), (18, 0.5), (9, 0.25)])
def test_coverage_of_the_circle_is_the_swept_share(direction, steps, share):
    summary = turn(*(100 + direction * 10.0 * torch.arange(steps + 2)).tolist())
    assert summary.coverage == pytest.approx(share)
    assert summary.mean_speed == pytest.approx(10)
    assert (summary.reversals, summary.stalls, summary.jumps) == (0, 0, 0)


@pytest.mark.parametrize("direction", [1, -1])
def test_coverage_of_the_segment_counts_what_lay_ahead(direction):
    start, half = -4.0 * direction, torch.arange(11) * 0.5 * direction
    assert slide(*(start + half).tolist()).coverage == pytest.approx(4.5 / 9.5)  # frame 1 at -3.5, the end at 6
    assert slide(*(start + torch.arange(21) * 0.5 * direction).tolist()).coverage == pytest.approx(1)


def test_ground_swept_twice_counts_once():
    there_and_back = [0.0, 10, 20, 30, 40, 30, 20, 10]
    assert turn(*there_and_back).coverage == pytest.approx(30 / 360)
    assert turn(*there_and_back).reversals == 3
    assert slide(-3, -2, -1, 0, -1, 0, 1).coverage == pytest.approx(3 / 8)


def test_the_segment_behind_the_start_is_no_coverage_but_a_reversal():
    summary = slide(0, 0.5, 0, -0.5, -1)
    assert (summary.coverage, summary.reversals) == (0, 3)
    assert summary.mean_speed == pytest.approx(-0.5)


def test_the_given_step_is_no_coverage():
    assert turn(0, 10, 10, 10).coverage == 0


def test_standing_still_is_all_stalls():
    summary = turn(0, 10, 10, 10, 10)
    assert (summary.stalls, summary.reversals, summary.mean_speed) == (3, 0, 0)


def test_a_step_far_below_the_median_is_a_stall():
    assert turn(0, 10, 20, 30, 32, 42, 52).stalls == 1
    assert turn(0, 10, 20, 30, 33, 43, 53).stalls == 0


def test_a_jump_covers_nothing_and_is_no_reversal():
    forward = turn(0, 10, 20, 30, 200, 210, 220)  # over a quarter of the circle
    assert (forward.jumps, forward.coverage) == (1, pytest.approx(40 / 360))
    backward = turn(300, 310, 320, 260, 270, 280)  # six times the usual step
    assert (backward.jumps, backward.reversals) == (1, 0)
    assert backward.coverage == pytest.approx(30 / 360)
    assert backward.mean_speed == pytest.approx(10)


def test_a_fast_but_steady_walk_does_not_jump():
    summary = turn(0, 5, 45, 85, 125, 165)
    assert (summary.jumps, summary.coverage) == (0, pytest.approx(160 / 360))


def test_rounding_to_the_nearest_sample_is_no_reversal():
    assert turn(0, 10, 20, 19.5, 30).reversals == 0
    assert turn(0, 10, 20, 19, 30).reversals == 1


def test_the_distance_to_the_manifold_is_a_mean_over_generated_frames():
    manifold, frames = circle(), hand(torch.arange(7) * 10.0)
    frames[4] += 0.2
    track = trace(manifold, frames)
    assert summarize(manifold, track).coverage == pytest.approx(50 / 360)
    assert summarize(manifold, track).distance == pytest.approx(track.distance[4] / 5, rel=1e-6)


@given(st.lists(st.tuples(st.integers(0, 35), st.integers(0, 9)), max_size=12), st.sampled_from([36.0, None]))
def test_the_union_of_arcs_is_the_number_of_cells_they_cover(arcs, period):
    intervals = np.array([(low, low + length) for low, length in arcs], dtype=float).reshape(-1, 2)
    cells = {k % period if period else k for low, length in arcs for k in range(low, low + length)}
    assert union_length(intervals, period) == pytest.approx(len(cells))


@pytest.mark.parametrize(
    ("walk", "message"),
    [
        ([0.0], r"1 frame\(s\) has no generated frame"),
        ([0.0, 1.0], "no generated frame"),
        ([1.0, 1.0, 2.0], "no direction of motion"),
        ([5.0, 6.0, 6.0], "no manifold is left ahead"),
    ],
)
def test_a_walk_without_direction_or_room_is_refused(walk, message):
    with pytest.raises(MetricError, match=message):
        slide(*walk)


def test_unusable_frames_are_named():
    frames = hand(torch.arange(3.0))
    frames[2, 0, 3, 3] = math.nan
    with pytest.raises(MetricError, match=r"^frame 2 contains NaN"):
        trace(circle(), frames)
    with pytest.raises(MetricError, match="on a manifold of"):
        trace(circle(), frames[..., :-1])


@pytest.mark.parametrize(
    ("angles", "period", "message"),
    [
        ([0.0, 2, 1], None, "increase strictly"),
        ([0.0, 180, 360], 360.0, "period of 360"),
        ([0.0], None, "1 coordinates"),
    ],
)
def test_an_impossible_manifold_is_refused(angles, period, message):
    angles = torch.tensor(angles)
    with pytest.raises(MetricError, match=message):
        LatentManifold(hand(angles), angles, period)

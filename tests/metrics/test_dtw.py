from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from dtaidistance import dtw as oracle
from dtaidistance.innerdistance import CustomInnerDist
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from manex.errors import MetricError
from manex.metrics.dtw import (
    aligned_distances,
    cumulative_costs,
    dtw_scores,
    dtw_ssid,
    exact_path,
    greedy_path,
    unwarped_distances,
)
from manex.metrics.ssim import ssim_distances


def matrices(largest: int) -> st.SearchStrategy[np.ndarray]:
    side = st.integers(1, largest)
    entries = st.sampled_from([0.0, 0.5, 1.0]) | st.floats(0, 2)  # ties are common
    return st.tuples(side, side).flatmap(lambda shape: arrays(np.float64, shape, elements=entries))


def all_paths(i: int, j: int) -> Iterator[list[tuple[int, int]]]:
    """Every warping path from (0, 0) to (i, j)."""
    if i == j == 0:
        yield [(0, 0)]
    for a, b in ((i - 1, j - 1), (i - 1, j), (i, j - 1)):
        if a >= 0 and b >= 0:
            yield from ([*path, (i, j)] for path in all_paths(a, b))


def cost(distances: np.ndarray, path: np.ndarray) -> float:
    return float(distances[path[:, 0], path[:, 1]].sum())


@given(matrices(5))
@settings(max_examples=60)
def test_no_path_at_all_is_cheaper_than_the_exact_one(d):
    cheapest = min(cost(d, np.array(path)) for path in all_paths(len(d) - 1, d.shape[1] - 1))
    assert cost(d, exact_path(d)) == pytest.approx(cheapest, abs=1e-12)


@given(matrices(12))
@settings(max_examples=40)
def test_the_exact_cost_is_that_of_dtaidistance(d):
    class Lookup(CustomInnerDist):
        @staticmethod
        def inner_dist(x, y):
            return d[int(x), int(y)]

        @staticmethod
        def result(x):
            return x

        @staticmethod
        def inner_val(x):
            return x

    rows, columns = (np.arange(n, dtype=float) for n in d.shape)
    expected = oracle.distance(rows, columns, inner_dist=Lookup, use_c=False)
    assert cost(d, exact_path(d)) == pytest.approx(expected, abs=1e-12)


def test_every_cumulative_cost_is_that_of_dtaidistance():
    rng = np.random.default_rng(3)
    one, other = rng.normal(size=30), rng.normal(size=17)
    _, expected = oracle.warping_paths(one, other, inner_dist="euclidean")  # |a - b|, with a wall at row and column 0
    np.testing.assert_allclose(cumulative_costs(np.abs(one[:, None] - other)[None])[0], expected[1:, 1:], atol=1e-12)


@given(matrices(12), st.sampled_from([exact_path, greedy_path]))
@settings(max_examples=60)
def test_paths_join_both_ends_by_single_steps(d, rule):
    path = rule(d)
    assert path[0].tolist() == [0, 0]
    assert path[-1].tolist() == [len(d) - 1, d.shape[1] - 1]
    assert {tuple(step) for step in np.diff(path, axis=0).tolist()} <= {(1, 1), (1, 0), (0, 1)}


@given(matrices(12))
@settings(max_examples=60)
def test_the_greedy_path_never_costs_less_than_the_exact_one(d):
    assert cost(d, greedy_path(d)) >= cost(d, exact_path(d)) - 1e-12


def test_the_greedy_walk_steps_to_the_nearest_neighbour_and_the_exact_one_looks_ahead():
    d = np.array(
        [
            [0.0, 0.3, 0.3],
            [0.9, 0.9, 0.3],
            [0.9, 0.2, 0.1],
        ]
    )
    assert greedy_path(d).tolist() == [[0, 0], [1, 0], [2, 1], [2, 2]]  # 0.2, then the diagonal among three 0.9s
    assert exact_path(d).tolist() == [[0, 0], [0, 1], [1, 2], [2, 2]]


def test_ties_go_to_the_diagonal():
    diagonal = [[i, i] for i in range(4)]
    for rule in (exact_path, greedy_path):
        assert rule(np.zeros((4, 4))).tolist() == diagonal
        assert rule(np.ones((4, 6)))[-4:].tolist() == [[i, i + 2] for i in range(4)]


def test_each_truth_frame_gets_the_mean_over_its_matched_frames():
    d = np.array([[0.1, 0.3, 9.0], [9.0, 9.0, 0.5]])
    path = np.array([[0, 0], [0, 1], [1, 2]])
    np.testing.assert_allclose(aligned_distances(d, path), [0.2, 0.5])
    assert dtw_ssid(d) == pytest.approx(0.35)


@pytest.mark.parametrize("rule", ["exact", "greedy"])
def test_repeating_generated_frames_leaves_the_score_at_zero(generator, rule):
    truth = torch.rand(6, 1, 10, 10, generator=generator)
    assert dtw_ssid(ssim_distances(truth, truth), rule) == pytest.approx(0, abs=1e-12)
    slow = truth.repeat_interleave(torch.tensor([1, 3, 1, 2, 1, 4]), dim=0)
    assert dtw_ssid(ssim_distances(truth, slow), rule) == pytest.approx(0, abs=1e-12)


@given(st.data(), st.integers(1, 4), st.integers(1, 8), st.integers(1, 8))
@settings(max_examples=30)
def test_a_batch_scores_as_its_matrices_do(data, batch, truth, generated):
    d = data.draw(arrays(np.float64, (batch, truth, generated), elements=st.sampled_from([0.0, 0.25, 0.5, 1.0])))
    scores = dtw_scores(d, paths=True)
    assert scores.exact.tolist() == [dtw_ssid(m) for m in d]
    assert scores.greedy.tolist() == [dtw_ssid(m, "greedy") for m in d]
    assert [p.tolist() for p in scores.exact_paths] == [exact_path(m).tolist() for m in d]
    assert [p.tolist() for p in scores.greedy_paths] == [greedy_path(m).tolist() for m in d]


def test_paths_come_only_on_request():
    scores = dtw_scores(torch.rand(2, 3, 4, dtype=torch.float64))
    assert scores.exact_paths is None
    assert scores.greedy_paths is None


def test_the_unwarped_distance_pairs_equal_frame_numbers():
    d = np.arange(12.0).reshape(3, 4)
    assert unwarped_distances(d).tolist() == [0, 5, 10]
    assert unwarped_distances(d.T).tolist() == [0, 5, 10]


def test_unusable_distances_are_named():
    d = np.zeros((2, 3, 4))
    d[1, 2, 0] = np.nan
    with pytest.raises(MetricError, match="truth frame 2 to generated frame 0 of video 1"):
        dtw_scores(d)
    with pytest.raises(MetricError, match=r"shape \(1, 0, 4\)"):
        exact_path(np.zeros((0, 4)))
    with pytest.raises(MetricError, match="every one of the 3 truth frames"):
        aligned_distances(np.zeros((3, 2)), np.array([[0, 0], [1, 1]]))

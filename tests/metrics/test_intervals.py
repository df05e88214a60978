from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from manex.errors import MetricError
from manex.metrics.intervals import estimate, paired_difference


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20241122)


def test_the_interval_is_that_of_all_equally_likely_resamples(rng):
    scores = rng.normal(size=(3, 4))
    draws = [list(itertools.product(range(n), repeat=n)) for n in scores.shape]
    means = [scores[np.ix_(trials, videos)].mean() for trials in draws[0] for videos in draws[1]]
    low, high = np.quantile(means, [0.025, 0.975])
    found = estimate(scores, seed=1, resamples=100_000)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.02 * (high - low))


@pytest.mark.parametrize("turned", [False, True])
def test_one_trial_or_one_video_gives_the_ordinary_bootstrap(rng, turned):
    scores = rng.normal(size=(1, 10))
    ordinary = stats.bootstrap((scores[0],), np.mean, method="percentile", n_resamples=50_000, rng=rng)
    found = estimate(scores.T if turned else scores, seed=1, resamples=50_000)
    low, high = ordinary.confidence_interval
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.02 * (high - low))


def test_mean_and_spread_are_those_of_the_trials(rng):
    scores = rng.normal(size=(5, 10))
    found = estimate(scores, seed=0)
    assert found.mean == pytest.approx(scores.mean())
    assert found.sd == pytest.approx(scores.mean(1).std(ddof=1))
    assert found.low < found.mean < found.high


def test_the_seed_decides(rng):
    scores = rng.normal(size=(5, 10))
    assert estimate(scores, seed=4) == estimate(scores, seed=4)
    assert estimate(scores, seed=4) != estimate(scores, seed=5)


def test_a_lower_level_gives_a_narrower_interval(rng):
    scores = rng.normal(size=(5, 10))
    wide, narrow = (estimate(scores, seed=0, level=level) for level in (0.95, 0.5))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_a_single_score_has_no_interval():
    found = estimate(np.array([[0.3]]), seed=0)
    assert found.mean == 0.3
    assert np.isnan([found.sd, found.low, found.high]).all()


def test_pairing_takes_out_what_the_methods_share(rng):
    hard_videos = rng.normal(scale=10, size=(1, 10))
    rival = hard_videos + rng.normal(scale=0.01, size=(5, 10))
    difference = paired_difference(hard_videos - 0.1 + rng.normal(scale=0.01, size=(5, 10)), rival, seed=0)
    assert -0.12 < difference.low < difference.high < -0.08
    assert estimate(rival, seed=0).high - estimate(rival, seed=0).low > 1


def test_swapping_the_methods_mirrors_the_interval(rng):
    one, other = rng.normal(size=(2, 5, 10))
    there, back = paired_difference(one, other, seed=3), paired_difference(other, one, seed=3)
    assert (back.mean, back.low, back.high) == pytest.approx((-there.mean, -there.high, -there.low))


def test_unusable_scores_are_refused():
    with pytest.raises(MetricError, match="video 2, trial 1 is not finite"):
        estimate(np.array([[1.0, 2, 3], [4, 5, np.nan]]), seed=0)
    with pytest.raises(MetricError, match="0 trials of 4 videos"):
        estimate(np.zeros((0, 4)), seed=0)
    with pytest.raises(MetricError, match="confidence level 95"):
        estimate(np.zeros((2, 2)), seed=0, level=95.0)
    with pytest.raises(MetricError, match="cannot pair"):
        paired_difference(np.zeros((2, 3)), np.zeros((2, 4)), seed=0)

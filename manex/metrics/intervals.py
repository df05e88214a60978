"""95 % confidence intervals of a score over trials and videos, and of the difference of two methods.

Scores form a table (trial, video). Trials share the videos and videos share the noise seeds, so cells are not
independent: rows and columns are resampled separately and crossed (the pigeonhole bootstrap; Owen 2007, "The
pigeonhole bootstrap", Annals of Applied Statistics 1(2)), which errs on the wide side. With one trial, or one
video, it is the ordinary bootstrap over the other. Percentile intervals; the seed makes them reproducible.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from manex.errors import MetricError


@dataclass(frozen=True)
class Estimate:
    """A mean with its spread.

    Attributes:
        mean: over trials and videos.
        sd: of the trials' means (ddof 1): what another noise seed changes; NaN with a single trial.
        low, high: bounds of the interval; NaN if there is only one trial of one video.
        level: its confidence level.
    """

    mean: float
    sd: float
    low: float
    high: float
    level: float


def estimate(
    scores: Float[np.ndarray, "trial video"], seed: int, level: float = 0.95, resamples: int = 10_000
) -> Estimate:
    """Mean score with its confidence interval.

    Raises:
        MetricError: an empty table, a score that is not finite, or a level outside (0, 1).
    """
    if scores.size == 0:
        raise MetricError(f"no scores: the table has {scores.shape[0]} trials of {scores.shape[1]} videos")
    if not np.isfinite(scores).all():
        trial, video = np.argwhere(~np.isfinite(scores))[0]
        raise MetricError(f"the score of video {video}, trial {trial} is not finite")
    if not 0 < level < 1:
        raise MetricError(f"confidence level {level}: must lie between 0 and 1")
    trials = scores.mean(1)
    low = high = float("nan")
    if scores.size > 1:
        means = _resampled_means(scores, resamples, np.random.default_rng(seed))
        low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    sd = trials.std(ddof=1) if len(trials) > 1 else float("nan")
    return Estimate(float(trials.mean()), float(sd), float(low), float(high), level)


def paired_difference(
    scores: Float[np.ndarray, "trial video"],
    rival: Float[np.ndarray, "_trial _video"],
    seed: int,
    level: float = 0.95,
    resamples: int = 10_000,
) -> Estimate:
    """Mean of `scores - rival`, cell by cell: below zero where the first method has the lower distance.

    Both methods see the same noise seeds and videos, so pairing removes what they share. The difference is significant
    at `1 - level` if the interval does not contain zero.

    Raises:
        MetricError: tables of different shapes, or as `estimate` does.
    """
    if scores.shape != rival.shape:
        raise MetricError(f"cannot pair scores of {scores.shape} with {rival.shape} (trials, videos)")
    return estimate(scores - rival, seed, level, resamples)


def _resampled_means(
    scores: Float[np.ndarray, "trial video"], resamples: int, rng: np.random.Generator
) -> Float[np.ndarray, " resample"]:
    """Means of tables whose rows and columns are drawn with replacement, as many as there are."""
    weights = [rng.multinomial(n, np.full(n, 1 / n), size=resamples) / n for n in scores.shape]
    means: Float[np.ndarray, " resample"] = np.einsum("rt,tv,rv->r", weights[0], scores, weights[1], optimize=True)
    return means

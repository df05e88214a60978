"""Time the metrics and their rivals, in one run and on one thread, and check that both give the same numbers.

Run `python -m benchmarks.metrics`. Each time is the best of a few repeats; a rival that is too slow to run on
everything is timed on a part and scaled up, which its line says.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from dtaidistance import dtw
from skimage.metrics import structural_similarity

from manex.metrics.dtw import cumulative_costs, dtw_scores
from manex.metrics.ssim import ssim_distances

REPEATS = 5


def seconds(run: Callable[[], object]) -> float:
    """Best wall time of a few repeats."""
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def line(what: str, ours: float, rival: str, theirs: float, error: float) -> None:
    """One measurement, as a line of the report."""
    ratio = theirs / ours
    print(f"{what:38} {ours:9.4f} s   {rival:38} {theirs:9.4f} s   ratio {ratio:6.1f}   largest difference {error:.1e}")


def ssim(side: int, frames: int = 100, share: int = 20) -> None:
    """All pairs of two videos against scikit-image, pair by pair, on one truth frame in `share`."""
    truth, generated = torch.rand(2, frames, 1, side, side, dtype=torch.float64).unbind()
    t, g = truth[::share, 0].numpy(), generated[:, 0].numpy()

    def pairwise() -> np.ndarray:
        return np.array([[1 - structural_similarity(a, b, data_range=1) for b in g] for a in t])

    error = np.abs(ssim_distances(truth, generated)[::share].numpy() - pairwise()).max()
    ours, theirs = seconds(lambda: ssim_distances(truth, generated)), seconds(pairwise) * share
    line(f"SSIM, {frames}x{frames} frames of {side}x{side}", ours, f"scikit-image (1 in {share} run)", theirs, error)


def alignment(batch: int = 600, truth: int = 100, generated: int = 55) -> None:
    """Exact and greedy paths and scores, against dtaidistance's exact path of the 1-D series behind the distances."""
    rng = np.random.default_rng(0)
    one, other = rng.random((batch, truth)), rng.random((batch, generated))
    distances = np.abs(one[:, :, None] - other[:, None, :])

    def rival(path: Callable[..., object], count: int) -> None:
        for a, b in zip(one[:count], other[:count], strict=True):
            path(a, b, inner_dist="euclidean")

    costs = np.array([dtw.distance(a, b, inner_dist="euclidean") for a, b in zip(one[:20], other[:20], strict=True)])
    error = np.abs(cumulative_costs(distances[:20])[:, -1, -1] - costs).max()
    ours, what = seconds(lambda: dtw_scores(distances)), f"DTW twice, {batch} of {truth}x{generated}"
    slow = seconds(lambda: rival(dtw.warping_path, 2)) * batch / 2
    line(what, ours, "dtaidistance, Python, once (2 run)", slow, error)
    if dtw.dtw_cc is not None:
        line(what, ours, "dtaidistance, C, once", seconds(lambda: rival(dtw.warping_path_fast, batch)), error)


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(0)
    for side in (20, 32, 64):
        ssim(side)
    alignment()

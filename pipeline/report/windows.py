"""DTW-SSID of the walks that are here, with each window of SSIM: the paper does not say which one it took."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from manex.metrics.dtw import dtw_scores
from manex.metrics.ssim import SIDES, ssim_distances
from pipeline.config.params import Params
from pipeline.paths import Paths
from pipeline.settings import settings
from pipeline.storage.prepared import load_prepared
from pipeline.storage.skipped import absence
from pipeline.storage.trials import load_trials


def windows(params: Params, paths: Paths) -> Iterator[str]:
    """The lines of a Markdown table: one row per dataset and method, means over videos and trials.

    Raises:
        UserError: walks that are missing or damaged; MetricError: frames smaller than a window.
    """
    settings().prepare_torch()
    yield f"| dataset | method | {' | '.join(SIDES)} |"
    yield f"|---|---|{'---:|' * len(SIDES)}"
    for name in params.datasets:
        if absence(paths.prepared(name)):
            continue
        truth = load_prepared(name, paths).videos
        for method in params.methods_of(name):
            if absence(paths.extrapolated(name, method)):
                continue
            trials = load_trials(name, method, paths).frames
            scores = []
            for window in SIDES:
                pairs = [ssim_distances(truth[v], one[v], window=window) for one in trials for v in range(len(truth))]
                scores.append(f"{dtw_scores(torch.stack(pairs)).exact.mean():.4f}")
            yield f"| {name} | `{method}` | {' | '.join(scores)} |"

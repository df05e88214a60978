"""evaluate: DTW-SSID and the recovered latent coordinate of every trial and video of a cell."""

from __future__ import annotations

import pandas as pd
import torch

from pipeline.errors import UserError
from pipeline.metrics.coordinates import summarize, trace
from pipeline.metrics.dtw import aligned_distances, dtw_scores, unwarped_distances
from pipeline.metrics.errors import MetricError
from pipeline.metrics.ssim import ssim_distances
from pipeline.paths import Paths
from pipeline.progress import track
from pipeline.settings import settings
from pipeline.stages.artifacts import damaged, replacing_folder, write_csv
from pipeline.stages.prepared import Prepared, load_prepared
from pipeline.stages.records import recorded
from pipeline.stages.trials import load_trials


def evaluate(dataset: str, method: str, paths: Paths) -> None:
    """Write reports/scores/DATASET/METHOD: scores.csv, a row a trial and video; frames.csv, a row a frame as well."""
    settings().prepare_torch()
    frames = load_prepared(dataset, paths)
    trials, seeds = load_trials(dataset, method, paths)
    if trials.shape[1] != len(frames.videos):
        found = f"{trials.shape[1]} videos, the dataset {len(frames.videos)}"
        raise damaged(paths.extrapolated(dataset, method), found, f"manex extrapolate {dataset} {method}")
    with recorded(paths, "evaluate", f"{dataset}-{method}", {}) as run:
        cells = [(t, v) for t in range(len(seeds)) for v in range(len(frames.videos))]
        label = f"evaluate {dataset} {method}"
        distances = torch.stack([_distances(frames, trials, t, v) for t, v in track(cells, label, len(cells))])
        scores = dtw_scores(distances, paths=True)
        assert scores.exact_paths is not None
        rows, tables = [], []
        for i, (t, v) in enumerate(cells):
            key = {"trial": seeds[t], "video": v}
            summary, recovered = _coordinates(frames, trials[t, v], v)
            rows.append({**key, "dtw_ssid": scores.exact[i], "dtw_ssid_greedy": scores.greedy[i], **summary})
            aligned = aligned_distances(distances[i], scores.exact_paths[i])
            unwarped = pd.Series(unwarped_distances(distances[i])).reindex(range(len(aligned)))
            columns = {"aligned_distance": aligned, "unwarped_distance": unwarped}
            tables.append(pd.DataFrame({**key, "frame": range(len(aligned)), **columns}))
            tables[-1] = tables[-1].merge(recovered.assign(**key), how="outer", on=["trial", "video", "frame"])
        table = pd.DataFrame(rows)
        run.facts["dtw_ssid"] = float(table["dtw_ssid"].mean())
        with replacing_folder(paths.scores(dataset, method), sealed=True) as folder:
            write_csv(folder / "scores.csv", table)
            write_csv(folder / "frames.csv", pd.concat(tables, ignore_index=True))


def _distances(frames: Prepared, trials: torch.Tensor, trial: int, video: int) -> torch.Tensor:
    try:
        return ssim_distances(frames.videos[video], trials[trial, video])
    except MetricError as error:
        raise UserError(f"trial {trial}, video {video}: {error}") from None


def _coordinates(frames: Prepared, video: torch.Tensor, index: int) -> tuple[dict[str, float], pd.DataFrame]:
    """The summary and the coordinate of every frame; nothing of either where no manifold is known."""
    names = ("coverage", "reversals", "stalls", "jumps", "mean_speed", "distance")
    if not frames.manifolds:
        nothing = {"frame": range(len(video)), "coordinate": float("nan"), "manifold_distance": float("nan")}
        return dict.fromkeys(names, float("nan")), pd.DataFrame(nothing)
    manifold = frames.manifolds[index]
    found = trace(manifold, video)
    summary = summarize(manifold, found)
    recovered = pd.DataFrame(
        {"frame": range(len(video)), "coordinate": found.unwrapped, "manifold_distance": found.distance}
    )
    return {name: getattr(summary, name) for name in names}, recovered

"""figures: the paper's figures from our runs, as PNG and SVG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from pipeline.config.params import Params
from pipeline.config.training import SkippedModel, VAETraining
from pipeline.figures.comparison import comparison_figure
from pipeline.figures.paths import paths_figure
from pipeline.figures.psnr import psnr_figure
from pipeline.figures.style import METADATA, style
from pipeline.figures.videos import videos_figure
from pipeline.paths import Paths
from pipeline.stages.absent import absence
from pipeline.stages.artifacts import read_csv, replacing_folder
from pipeline.stages.prepared import load_prepared
from pipeline.stages.records import recorded
from pipeline.stages.trials import load_trials

VIDEO = 2
"""The video shown: a 4, which no rotation or shift leaves unchanged."""


def figures(params: Params, paths: Paths) -> None:
    """Write reports/figures, and reports/private: what shows real people, or a user's own clips."""
    with (
        recorded(paths, "figures", "", {}),
        style(),
        replacing_folder(paths.figures) as folder,
        replacing_folder(paths.private) as private,
    ):
        for dataset in params.datasets:
            methods = [name for name in params.methods if not absence(paths.scores(dataset, name))]
            if methods:
                _dataset_figures(dataset, methods, paths, folder, private)
        table = read_csv(paths.reports / "table1.csv", "manex table").dropna(subset="dtw_ssid")
        if len(table):
            _save(comparison_figure(table), folder / "comparison")
        histories = {
            f"{dataset}, {model}": read_csv(
                paths.model(dataset, model) / "history.csv", f"manex train {dataset} {model}"
            )
            for dataset in params.datasets
            for model in params.models
            if not isinstance(params.training(dataset, model), VAETraining | SkippedModel)
            and not absence(paths.model(dataset, model))
        }
        if histories:
            _save(psnr_figure(histories), folder / "psnr")


def _dataset_figures(dataset: str, methods: Sequence[str], paths: Paths, folder: Path, private: Path) -> None:
    frames = load_prepared(dataset, paths)
    video = min(VIDEO, len(frames.videos) - 1)
    generated = {method: load_trials(dataset, method, paths)[0][0, video] for method in methods}
    shown = videos_figure(frames.videos[video], generated)
    _save(shown, (private if frames.private else folder) / f"{dataset}_videos")
    if frames.coordinates is None:
        return
    recovered = {}
    for method in methods:
        table = read_csv(paths.scores(dataset, method) / "frames.csv", f"manex evaluate {dataset} {method}")
        own = table[(table["video"] == video) & (table["trial"] == table["trial"].min())]
        recovered[method] = own.sort_values("frame")["coordinate"].dropna().to_numpy(np.float64)
    period = frames.manifolds[video].period
    _save(paths_figure(frames.coordinates.numpy(), period, frames.unit, recovered), folder / f"{dataset}_paths")


def _save(drawn: Figure, path: Path) -> None:
    for kind, metadata in METADATA.items():
        drawn.savefig(path.with_suffix(f".{kind}"), dpi=160, metadata=metadata)

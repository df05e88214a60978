"""figures: the paper's figures from our runs, as PNG and SVG, and a moving picture a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from torch import Tensor

from pipeline.config.methods import TangentFlow
from pipeline.config.params import Params
from pipeline.config.training import OnClips, SkippedModel, VAETraining
from pipeline.figures.alignment import alignment_figure
from pipeline.figures.comparison import comparison_figure
from pipeline.figures.moving import moving_picture
from pipeline.figures.paths import paths_figure
from pipeline.figures.psnr import psnr_figure
from pipeline.figures.spectrum import spectrum_figure
from pipeline.figures.style import METADATA, readable, style
from pipeline.figures.videos import videos_figure
from pipeline.figures.walk2d import walk_figure
from pipeline.metrics.ssim import ssim_distances
from pipeline.paths import Paths
from pipeline.stages.absent import absence
from pipeline.stages.artifacts import damaged, read_csv, read_json, read_tensors, replacing_folder
from pipeline.stages.prepared import Prepared, load_prepared
from pipeline.stages.records import recorded
from pipeline.stages.trials import VIDEO, load_trials


@dataclass(frozen=True, eq=False)
class Shown:
    """One video of a dataset with what the methods made of it in their first trial.

    Attributes:
        method: the one that figures of a single method show: the first tangent_flow, else the first there is.
    """

    dataset: str
    video: int
    frames: Prepared
    generated: Mapping[str, Tensor]
    method: str

    @property
    def truth(self) -> Tensor:
        """(frame, channel, height, width)."""
        return self.frames.videos[self.video]


def figures(params: Params, paths: Paths) -> None:
    """Write reports/figures; reports/pictures: what moves; reports/private: real people, or a user's own clips."""
    with (
        recorded(paths, "figures", "", {}),
        style(),
        replacing_folder(paths.figures) as folder,
        replacing_folder(paths.pictures) as moving,
        replacing_folder(paths.private) as private,
    ):
        everything = [shown for dataset in params.datasets if (shown := _shown(dataset, params, paths))]
        for shown in everything:
            still = private if shown.frames.private else folder
            _dataset_figures(shown, paths, still)
            picture = moving_picture(shown.truth, shown.generated)
            ((private if shown.frames.private else moving) / f"{shown.dataset}.gif").write_bytes(picture)
        first = next((shown for shown in everything if shown.frames.manifolds), None)
        if first:
            _save(walk_figure(first.truth[:2], first.generated[first.method]), folder / "walk")
        table = read_csv(paths.reports / "table1.csv", "manex table", ("dtw_ssid",)).dropna(subset="dtw_ssid")
        if len(table):
            _save(comparison_figure(table), folder / "comparison")
        _psnr(params, paths, folder)


def _shown(dataset: str, params: Params, paths: Paths) -> Shown | None:
    """None for a dataset that no method was run on."""
    methods = [name for name in params.methods if not absence(paths.scores(dataset, name))]
    if not methods:
        return None
    frames = load_prepared(dataset, paths)
    video = min(VIDEO, len(frames.videos) - 1)
    generated = {method: load_trials(dataset, method, paths)[0][0, video] for method in methods}
    ours = [name for name in methods if isinstance(params.method(dataset, name), TangentFlow)]
    return Shown(dataset, video, frames, generated, (ours or methods)[0])


def _dataset_figures(shown: Shown, paths: Paths, folder: Path) -> None:
    name, method = shown.dataset, shown.method
    _save(videos_figure(shown.truth, shown.generated), folder / f"{name}_videos")
    distances = ssim_distances(shown.truth, shown.generated[method]).numpy()
    _save(alignment_figure(distances, readable(f"{name}, {method}")), folder / f"{name}_alignment")
    if not absence(paths.spectrum(name)):
        _save(_spectrum(name, paths), folder / f"{name}_spectrum")
    if shown.frames.coordinates is None:
        return
    recovered = {}
    for method in shown.generated:
        file, made_by = paths.scores(name, method) / "frames.csv", f"manex evaluate {name} {method}"
        table = read_csv(file, made_by, ("trial", "video", "frame", "coordinate"))
        own = table[(table["video"] == shown.video) & (table["trial"] == table["trial"].min())]
        recovered[method] = own.sort_values("frame")["coordinate"].dropna().to_numpy(np.float64)
    period = shown.frames.manifolds[shown.video].period
    drawn = paths_figure(shown.frames.coordinates.numpy(), period, shown.frames.unit, recovered)
    _save(drawn, folder / f"{name}_paths")


def _spectrum(dataset: str, paths: Paths) -> Figure:
    folder, made_by = paths.spectrum(dataset), f"manex spectrum {dataset}"
    facts = read_json(folder / "spectrum.json", made_by, ("denoiser", "method", "sigma_255", "numbers"))
    tensors = read_tensors(folder / "spectrum.safetensors", made_by, ("frames", "values", "vectors"))
    numbers, sigma = facts["numbers"], facts["sigma_255"]
    rows = {len(tensor) if tensor.ndim else 0 for tensor in (tensors["frames"], tensors["values"], tensors["vectors"])}
    if not isinstance(numbers, list) or rows != {len(numbers)} or not isinstance(sigma, int | float):
        raise damaged(folder, "not eigenpairs of some frames", made_by)
    title = readable(f"{dataset}, {facts['denoiser']} along {facts['method']}, sigma {sigma:g}/255")
    return spectrum_figure(numbers, tensors["frames"], tensors["values"], tensors["vectors"], title)


def _psnr(params: Params, paths: Paths, folder: Path) -> None:
    histories = {
        f"{dataset}, {model}": read_csv(paths.model(dataset, model) / "history.csv", f"manex train {dataset} {model}")
        for dataset in params.datasets
        for model in params.models
        if not isinstance(params.training(dataset, model), VAETraining | OnClips | SkippedModel)
        and not absence(paths.model(dataset, model))
    }
    if histories:
        _save(psnr_figure(histories), folder / "psnr")


def _save(drawn: Figure, path: Path) -> None:
    for kind, metadata in METADATA.items():
        drawn.savefig(path.with_suffix(f".{kind}"), dpi=160, metadata=metadata)

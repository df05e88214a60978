"""figures: the paper's figures from our runs, as PNG and SVG, and a moving picture per dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from torch import Tensor

from manex.datasets.dataset import Dataset
from manex.metrics.ssim import ssim_distances
from pipeline.config.params import Params
from pipeline.figures.alignment import alignment_figure
from pipeline.figures.comparison import comparison_figure
from pipeline.figures.generalisation import Curves, by_digits, generalisation_figure
from pipeline.figures.generator import generator_figure
from pipeline.figures.levels import levels_figure
from pipeline.figures.moving import moving_picture
from pipeline.figures.paths import paths_figure
from pipeline.figures.psnr import denoising_history, psnr_figure
from pipeline.figures.spectrum import spectrum_figure
from pipeline.figures.style import METADATA, readable, style
from pipeline.figures.videos import videos_figure
from pipeline.figures.walk2d import walk_figure
from pipeline.paths import Paths
from pipeline.stages.analysis_figures import analysis_figures
from pipeline.storage.artifacts import damaged, read_csv, read_tensors, replacing_folder
from pipeline.storage.prepared import load_prepared
from pipeline.storage.results import Results, load_analysis, load_results
from pipeline.storage.skipped import absence
from pipeline.storage.trials import VIDEO, load_trials
from pipeline.tracking.record import recorded

OURS = "tangent_flow"
"""The algorithm whose walk is shown if only one is."""
ANALYSIS = "spectrum"
"""The kind of analysis that the spectrum is drawn from."""
PICTURES = {"frames": 4, "values": 2, "vectors": 5}
"""Its tensors, and how many dimensions each has."""

GENERATOR = {"frames": 4, "moved": 4, "motion": 3}
"""The tensors of the analysis `symmetry`, and how many dimensions each has."""


@dataclass(frozen=True, eq=False)
class Shown:
    """One video of a dataset with what the methods made of it in their first trial.

    Attributes:
        method: the one that figures of a single method show: the first tangent_flow, else the first there is.
    """

    name: str
    video: int
    dataset: Dataset
    results: Results
    generated: Mapping[str, Tensor]
    method: str

    @property
    def truth(self) -> Tensor:
        """(frame, channel, height, width)."""
        return self.dataset.videos[self.video]


def figures(params: Params, paths: Paths) -> None:
    """Write figures/; pictures/ (moving ones); private/ (real people and the user's clips, which stay out of git)."""
    with (
        recorded(paths, "figures", "", {}) as run,
        style(),
        replacing_folder(paths.figures) as folder,
        replacing_folder(paths.pictures) as moving,
        replacing_folder(paths.private) as private,
    ):
        everything = [shown for name in params.datasets if (shown := _shown(name, params, paths))]
        for shown in everything:
            still = private if shown.dataset.private else folder
            _dataset_figures(shown, params, paths, still)
            picture = moving_picture({"truth": shown.truth, **shown.generated})
            ((private if shown.dataset.private else moving) / f"{shown.name}.gif").write_bytes(picture)
        for name in params.datasets:
            for kind, drawn in analysis_figures(name, params, paths):
                _save(drawn, (private if load_prepared(name, paths).private else folder) / f"{name}_{kind}")
        first = next((shown for shown in everything if shown.dataset.manifolds), None)
        if first:
            _save(walk_figure(first.truth[:2], first.generated[first.method]), folder / "walk")
        table = read_csv(paths.reports / "table1.csv", "manex table", ("dtw_ssid",)).dropna(subset="dtw_ssid")
        if len(table):
            _save(comparison_figure(table), folder / "comparison")
            if curves := _curves(table, params, paths):
                _save(generalisation_figure(curves), folder / "generalisation")
        run.files = [paths.figures / path.name for path in sorted(folder.glob("*"))]


def _shown(name: str, params: Params, paths: Paths) -> Shown | None:
    """None for a dataset that no method was run on."""
    if absence(paths.prepared(name)):
        return None
    results = load_results(name, paths)
    if not results.methods:
        return None
    dataset = load_prepared(name, paths)
    video = min(VIDEO, len(dataset.videos) - 1)
    generated = {method: load_trials(name, method, paths).frames[0, video] for method in results.methods}
    ours = [method for method in results.methods if params.extrapolate[name][method].get("algorithm") == OURS]
    return Shown(name, video, dataset, results, generated, (ours or results.methods)[0])


def _dataset_figures(shown: Shown, params: Params, paths: Paths, folder: Path) -> None:
    name, method = shown.name, shown.method
    clip = shown.dataset.names[shown.video].replace("$", r"\$") if shown.dataset.names else ""  # no formula
    _save(videos_figure(shown.truth, shown.generated, title=clip), folder / f"{name}_videos")
    distances = ssim_distances(shown.truth, shown.generated[method], window=params.ssim_window).numpy()
    _save(
        alignment_figure(distances, readable(f"{name}, {method}") + (f", {clip}" if clip else "")),
        folder / f"{name}_alignment",
    )
    if drawn := _spectrum(name, params, paths):
        _save(drawn, folder / f"{name}_spectrum")
    if drawn := _generator(name, params, paths):
        _save(drawn, folder / f"{name}_symmetry")
    if drawn := _levels(name, params, paths):
        _save(drawn, folder / f"{name}_levels")
    if drawn := _psnr(name, params, paths):
        _save(drawn, folder / f"{name}_psnr")
    if shown.dataset.coordinates is None:
        return
    recovered = {}
    for walked in shown.generated:
        table = shown.results.frames
        own = table[(table["method"] == walked) & (table["video"] == shown.video)]
        own = own[own["trial"] == own["trial"].min()].sort_values("frame")
        recovered[walked] = own["coordinate"].dropna().to_numpy(np.float64)
    period = shown.dataset.manifolds[shown.video].period
    _save(
        paths_figure(shown.dataset.coordinates.numpy(), period, shown.dataset.unit, recovered), folder / f"{name}_paths"
    )


def _of_kind(kind: str, name: str, params: Params) -> str | None:
    """The first analysis of a kind."""
    kinds = {analysis: params.analyse.get(name, {}).get(analysis, {}).get("kind") for analysis in params.analyses}
    return next((analysis for analysis, found in kinds.items() if found == kind), None)


def _generator(name: str, params: Params, paths: Paths) -> Figure | None:
    """None if no analysis of symmetries was run."""
    analysis = _of_kind("symmetry", name, params)
    columns = ("frames", "k", "eigenvalue")
    table = load_analysis(name, analysis, "generators", paths, columns, ("walk", "tangents")) if analysis else None
    if analysis is None or table is None:
        return None
    folder, made_by = paths.analysis(name, analysis), f"manex analyse {name} {analysis}"
    tensors = read_tensors(folder / "pictures.safetensors", made_by, GENERATOR)
    if not len(table) or any(tensors[part].ndim != n for part, n in GENERATOR.items()):
        raise damaged(folder, "not a generator of some frames", made_by)
    last = table[table["frames"] == table["frames"].max()]
    values = {source: rows["eigenvalue"].tolist() for source, rows in last.groupby("tangents", sort=False)}
    return generator_figure(tensors["frames"], tensors["moved"], tensors["motion"], values, readable(name))


def _spectrum(name: str, params: Params, paths: Paths) -> Figure | None:
    """None if no analysis of this kind was run."""
    analysis = _of_kind(ANALYSIS, name, params)
    table = load_analysis(name, analysis, "eigenvalues", paths, ("frame", "sigma_255")) if analysis else None
    if analysis is None or table is None:
        return None
    folder, made_by = paths.analysis(name, analysis), f"manex analyse {name} {analysis}"
    tensors = read_tensors(folder / "pictures.safetensors", made_by, PICTURES)
    own = table[table["walk"] == table["walk"].iloc[0]] if len(table) else table
    numbers = [int(number) for number in own["frame"].dropna().unique()]
    fits = all(tensors[part].ndim == n and len(tensors[part]) == len(numbers) for part, n in PICTURES.items())
    if not numbers or not fits:
        raise damaged(folder, "not eigenpairs of some frames", made_by)
    first = own.iloc[0]
    title = readable(f"{name}, {first['denoiser']}, sigma {first['sigma_255']:g}/255")
    return spectrum_figure(numbers, tensors["frames"], tensors["values"], tensors["vectors"], title)


def _levels(name: str, params: Params, paths: Paths) -> Figure | None:
    """None if no walk was repeated at other noise levels."""
    analysis = _of_kind("levels", name, params)
    table = load_analysis(name, analysis, "levels", paths, ("sigma_255", "dtw_ssid")) if analysis else None
    if table is None:
        return None
    means = table.groupby(["walk", "sigma_255"], sort=False)["dtw_ssid"].mean()
    curves = {walk: means[walk].sort_index() for walk in table["walk"].unique()}
    title = readable(f"{name}, mean over videos")
    return levels_figure({walk: (curve.index.tolist(), curve.tolist()) for walk, curve in curves.items()}, title)


def _curves(table: pd.DataFrame, params: Params, paths: Paths) -> list[Curves]:
    """None where no datasets differ in their number of training digits alone."""
    curves = []
    for digits in by_digits(params.data, params.datasets):
        denoisers = []
        for name, count in digits.items():
            analysis = _of_kind("geometry", name, params)
            columns = ("psnr", "psnr_videos")
            found = load_analysis(name, analysis, "denoisers", paths, columns) if analysis else None
            denoisers += [] if found is None else [found.assign(digits=count)]
        scores = table[table["dataset"].isin(digits)]
        known = pd.concat(denoisers) if denoisers else pd.DataFrame(columns=["denoiser"])
        scores = scores.assign(digits=scores["dataset"].map(digits))
        curves.append(Curves(params.data[next(iter(digits))]["kind"], scores, known))
    return curves


def _psnr(name: str, params: Params, paths: Paths) -> Figure | None:
    """None if no denoiser was trained."""
    histories = {}
    for model in params.trained(name):
        if not absence(paths.training(name, model)):
            made_by = f"manex train {name} {model.partition('/')[0]}"
            history = read_csv(paths.model(name, model) / "history.csv", made_by, ("step",))
            if denoising_history(history):
                histories[model] = history
    return psnr_figure(histories) if histories else None


def _save(drawn: Figure, path: Path) -> None:
    for kind, metadata in METADATA.items():
        drawn.savefig(path.with_suffix(f".{kind}"), dpi=160, metadata=metadata)

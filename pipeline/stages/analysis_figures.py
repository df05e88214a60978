"""The figures of analyses that need no walks: their tables and pictures, read and drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pandas as pd
from matplotlib.figure import Figure
from torch import Tensor

from pipeline.config.params import Params
from pipeline.figures.curve import curve_figure
from pipeline.figures.plane import Ways, plane_figure
from pipeline.figures.restoration import restoration_figure
from pipeline.figures.samples import samples_figure
from pipeline.figures.style import readable
from pipeline.figures.twins import twins_figure
from pipeline.paths import Paths
from pipeline.storage.artifacts import damaged, read_tensors
from pipeline.storage.results import load_analysis

Drawing = Callable[[pd.DataFrame, dict[str, Tensor], str], Figure]


def analysis_figures(name: str, params: Params, paths: Paths) -> Iterator[tuple[str, Figure]]:
    """The figures of a dataset, by the kind of the analysis.

    Raises:
        UserError: missing or damaged tables or pictures.
    """
    for kind, (needed, draw) in DRAWN.items():
        for analysis in params.analyses:
            if params.analyse.get(name, {}).get(analysis, {}).get("kind") != kind:
                continue
            table = load_analysis(name, analysis, kind, paths, needed, ())
            if table is None:
                continue
            folder, made_by = paths.analysis(name, analysis), f"manex analyse {name} {analysis}"
            pictures = folder / "pictures.safetensors"
            tensors = read_tensors(pictures, made_by) if kind in PICTURED else {}
            try:
                yield kind, draw(table, tensors, readable(name))
            except (IndexError, KeyError, ValueError) as error:
                raise damaged(folder, f"its table and its pictures do not fit ({error})", made_by) from None
            break


def _samples(table: pd.DataFrame, tensors: dict[str, Tensor], name: str) -> Figure:
    first = table[table["denoiser"] == table["denoiser"].iloc[0]]
    title = f"{name}, {first['denoiser'].iloc[0]}"
    return samples_figure(tensors["samples"], tensors["nearest"], first["beta"].unique().tolist(), title)


def _restoration(table: pd.DataFrame, tensors: dict[str, Tensor], name: str) -> Figure:
    first = table.dropna(subset="beta").iloc[0]
    title = f"{name}, {first['denoiser']}, beta {first['beta']:g}"
    return restoration_figure(tensors["strips"], table["task"].unique().tolist(), title)


def _plane(table: pd.DataFrame, tensors: dict[str, Tensor], name: str) -> Figure:
    levels = enumerate(table["sigma"].unique().tolist())
    return plane_figure(
        tensors["curve"], [Ways(level, tensors[f"once_{i}"], tensors[f"ways_{i}"]) for i, level in levels]
    )


def _curve(table: pd.DataFrame, tensors: dict[str, Tensor], name: str) -> Figure:
    return curve_figure(table, name)


def _twins(table: pd.DataFrame, tensors: dict[str, Tensor], name: str) -> Figure:
    beta = table["beta"].iloc[0]
    return twins_figure(table[table["beta"] == beta], tensors, f"{name}, beta {beta:g}")


DRAWN: dict[str, tuple[tuple[str, ...], Drawing]] = {
    "samples": (("beta",), _samples),
    "restoration": (("beta",), _restoration),
    "plane": (("sigma",), _plane),
    "curve": (("n", "psnr_in", "psnr"), _curve),
    "twins": (("n", "beta", "cosine_twins", "cosine_own_a", "cosine_own_b"), _twins),
}
"""By the kind of an analysis, which is its table's name, too: columns of numbers that are read, and how it is drawn."""
PICTURED = DRAWN.keys() - {"curve"}
"""Those that are drawn from tensors, too."""

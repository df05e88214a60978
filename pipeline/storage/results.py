"""Scores and analyses, as the stages after `evaluate` and `analyse` read them."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from pipeline.paths import Paths
from pipeline.storage.artifacts import damaged, read_csv, read_json
from pipeline.storage.origins import check_origins
from pipeline.storage.skipped import absence

SCORES = ("trial", "video", "dtw_ssid", "dtw_ssid_greedy", "coverage", "reversals", "distance", "stalls", "jumps")
GIVEN = 2
"""The first frames of a video are given, not generated."""
FRAMES = ("trial", "video", "frame", "coordinate", "manifold_distance", "residual")


@dataclass(frozen=True, eq=False)
class Results:
    """What `evaluate` found on a dataset.

    Attributes:
        not_run: the reason of each method that was not run.
        scores: one row per method, trial and video.
        frames: one row per method, trial, video and frame.
        walks, diagnoses: what the walks recorded, and what their denoisers' Jacobians keep.
    """

    dataset: str
    folder: Path
    not_run: dict[str, str]
    scores: pd.DataFrame
    frames: pd.DataFrame
    walks: pd.DataFrame
    diagnoses: pd.DataFrame

    def of(self, method: str) -> pd.DataFrame:
        """The scores of a method; none if it was not run."""
        return self.scores[self.scores["method"] == method]

    def residuals(self, methods: Collection[str]) -> pd.DataFrame:
        """The generated frames of some methods whose residual is known: those of the first trial, if any."""
        frames = self.frames.reindex(columns=["method", *FRAMES])  # it has no columns if no method was run
        return frames[frames["method"].isin(list(methods)) & (frames["frame"] >= GIVEN) & frames["residual"].notna()]

    def residual_spearman(self, methods: Collection[str]) -> float:
        """Rank correlation of residual and distance to the true manifold over generated frames.

        NaN where either is unknown, or constant.
        """
        known = self.residuals(methods)[["residual", "manifold_distance"]].dropna()
        if known.nunique().min() < 2:
            return math.nan
        return float(known["residual"].corr(known["manifold_distance"], method="spearman"))

    def by_trial(self, method: str) -> pd.DataFrame:
        """DTW-SSID of a method: one row per trial, one column per video.

        Raises:
            UserError: a score is missing.
        """
        scores = self.of(method)
        table = scores.pivot_table(index="trial", columns="video", values="dtw_ssid")
        if table.size == 0 or table.isna().any(axis=None) or table.size != len(scores):
            why = f"{method}: not a score of every trial and video"
            raise damaged(self.folder / "scores.csv", why, _made_by(self.dataset))
        return table

    @property
    def methods(self) -> list[str]:
        """The methods that were run, in their order."""
        return list(dict.fromkeys(self.scores["method"]))


def load_results(dataset: str, paths: Paths) -> Results:
    """Read data/scores/DATASET.

    Raises:
        UserError: missing, damaged, or made from others than are here.
    """
    folder, made_by = paths.scores(dataset), _made_by(dataset)
    check_origins(paths, folder)
    not_run = read_json(folder / "not_run.json", made_by)
    needed = {"scores": SCORES, "frames": FRAMES, "walks": (), "diagnoses": ()}
    tables = {
        name: read_csv(folder / f"{name}.csv", made_by, columns, text=("method",)) for name, columns in needed.items()
    }
    return Results(dataset, folder, {str(name): str(reason) for name, reason in not_run.items()}, **tables)


def load_analysis(
    dataset: str,
    analysis: str,
    table: str,
    paths: Paths,
    needed: Collection[str] = (),
    text: Collection[str] = ("walk", "denoiser"),
) -> pd.DataFrame | None:
    """A table of an analysis, one row or more per walk; None if it was not run or has no such table.

    Args:
        needed: columns of numbers.
        text: columns of names.

    Raises:
        UserError: missing, damaged, or made from others than are here.
    """
    folder, made_by = paths.analysis(dataset, analysis), f"manex analyse {dataset} {analysis}"
    if absence(folder) or not (folder / f"{table}.csv").is_file():
        return None
    check_origins(paths, folder)
    return read_csv(folder / f"{table}.csv", made_by, needed, text)


def not_analysed(dataset: str, analysis: str, paths: Paths) -> dict[str, str]:
    """The reason of each walk that an analysis left out."""
    folder = paths.analysis(dataset, analysis)
    if absence(folder):
        return {}
    made_by = f"manex analyse {dataset} {analysis}"
    not_run = read_json(folder / "facts.json", made_by, ("not_run",))["not_run"]
    if not isinstance(not_run, dict):
        raise damaged(folder / "facts.json", "no reasons", made_by)
    return {str(walk): str(reason) for walk, reason in not_run.items()}


def _made_by(dataset: str) -> str:
    return f"manex evaluate {dataset}"

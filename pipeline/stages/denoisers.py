"""denoisers: one table of all denoisers that `tangent_flow` walked with: how good they are, and what they know."""

from __future__ import annotations

from typing import Any

import pandas as pd
import torch

from pipeline.config.methods import MethodEntry, TangentFlow
from pipeline.config.params import Params
from pipeline.denoisers.base import Denoiser
from pipeline.metrics.diagnostics import diagnose
from pipeline.paths import Paths
from pipeline.progress import track
from pipeline.settings import settings
from pipeline.stages.absent import absence
from pipeline.stages.artifacts import read_csv, write_csv, write_text
from pipeline.stages.models import load_model
from pipeline.stages.prepared import load_prepared
from pipeline.stages.records import recorded
from pipeline.training.noise import psnr

FRAMES = 4
"""True frames of every video at which the geometry is taken."""

GEOMETRY = ("tangent_angle", "retention", "asymmetry", "effective_dimension")
COLUMNS = ("dataset", "denoiser", "method", "sigma_255", "psnr", "psnr_videos", *GEOMETRY, "dtw_ssid", "not_run")

SHOWN = {
    "sigma_255": ("sigma, 1/255", "g"),
    "psnr": ("PSNR", ".1f"),
    "psnr_videos": ("PSNR, videos", ".1f"),
    "tangent_angle": ("tangent angle", ".1f"),
    "retention": ("retention", ".2f"),
    "asymmetry": ("asymmetry", ".2f"),
    "effective_dimension": ("dimension", ".1f"),
    "dtw_ssid": ("DTW-SSID", ".4f"),
}
"""Columns of the page: title and format."""

CAPTION = """
Every denoiser that `tangent_flow` walked with, at the noise level of its walk. PSNR in dB on the frames held out of
training, and on those of the videos, which a denoiser of the protocol `held_out` has never seen. Geometry at noisy
copies of true frames, medians: angle in degrees from the true tangent to the top five eigenvectors of (J + J^T) / 2;
retention |<J t, t>| of the unit tangent t; asymmetry |J - J^T| / |J + J^T|; effective dimension, the trace of J.
DTW-SSID as in Table 1. Seconds a frame depend on the machine: reports/costs.csv.
"""


def denoisers(params: Params, paths: Paths) -> None:
    """Write reports/denoisers.csv and reports/denoisers.md, a row a dataset and method that is a tangent flow."""
    device = settings().prepare_torch()
    with recorded(paths, "denoisers", "", {}):
        cells = [(d, m, params.method(d, m)) for d in params.datasets for m in params.methods]
        cells = [cell for cell in cells if isinstance(cell[2], TangentFlow)]
        rows = [_row(*cell, paths, device) for cell in track(cells, "denoisers", len(cells))]
        write_csv(paths.reports / "denoisers.csv", pd.DataFrame(rows, columns=COLUMNS))
        write_text(paths.reports / "denoisers.md", _markdown(rows, params))


def _row(dataset: str, method: str, cfg: MethodEntry, paths: Paths, device: str) -> dict[str, Any]:
    assert isinstance(cfg, TangentFlow)
    names = {"dataset": dataset, "denoiser": cfg.denoiser_label, "method": method, "sigma_255": cfg.sigma_255}
    if reason := absence(paths.scores(dataset, method)):
        return {**names, "not_run": reason}
    scores = read_csv(
        paths.scores(dataset, method) / "scores.csv", f"manex evaluate {dataset} {method}", ("trial", "dtw_ssid")
    )
    frames = load_prepared(dataset, paths)
    denoiser = load_model(dataset, method, cfg, frames, paths, device)
    assert isinstance(denoiser, Denoiser)
    found: dict[str, float] = {}
    if frames.manifolds:
        every = max(1, (frames.videos.shape[1] - 1) // FRAMES)
        tables = list(diagnose(denoiser, cfg.sigma, frames.videos.to(device), frames.manifolds, every))
        found = {name: float(torch.cat([table[name] for table in tables]).median()) for name in GEOMETRY}
    judged = {"psnr": frames.held_out_frames, "psnr_videos": frames.videos.flatten(0, 1)}
    clean = {name: psnr(denoiser, images.to(device), cfg.sigma) for name, images in judged.items()}
    return {**names, **clean, **found, "dtw_ssid": scores.groupby("trial")["dtw_ssid"].mean().mean()}


def _markdown(rows: list[dict[str, Any]], params: Params) -> str:
    lines = [f"# Denoisers ({params.profile} profile, {len(params.trials.seeds)} trials)", CAPTION]
    for dataset in params.datasets:
        lines += [f"\n## {dataset}\n"]
        lines += [f"| denoiser | {' | '.join(title for title, _ in SHOWN.values())} |", "|---|" + "---:|" * len(SHOWN)]
        for row in rows:
            if row["dataset"] != dataset:
                continue
            if row.get("not_run"):
                lines += [f"| {row['denoiser']} | not run: {row['not_run']} |" + " |" * (len(SHOWN) - 1)]
                continue
            cells = [format(row[name], form) if pd.notna(row.get(name)) else "-" for name, (_, form) in SHOWN.items()]
            lines += [f"| {row['denoiser']} | {' | '.join(cells)} |"]
    return "\n".join(lines) + "\n"

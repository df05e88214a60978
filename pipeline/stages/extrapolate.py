"""extrapolate: the videos a method continues from their first two frames, all videos and trials as one batch."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import pandas as pd
import torch
from torch import Tensor

from pipeline.config.methods import Method
from pipeline.config.walks import Denoised
from pipeline.denoisers.base import Denoiser
from pipeline.extrapolators.base import ItemNoise, WalkState
from pipeline.extrapolators.walk import walk
from pipeline.metrics.diagnostics import angles_to, diagnose, true_tangents
from pipeline.paths import Paths
from pipeline.progress import track
from pipeline.settings import settings
from pipeline.stages.artifacts import replacing_folder, write_csv, write_tensors
from pipeline.stages.models import load_model
from pipeline.stages.prepared import Prepared, load_prepared
from pipeline.stages.records import recorded


def extrapolate(dataset: str, method: str, cfg: Method, seeds: Sequence[int], paths: Paths) -> None:
    """Write data/extrapolated/DATASET/METHOD: the frames of every trial, and what the walk says about itself."""
    device = settings().prepare_torch()
    frames = load_prepared(dataset, paths)
    model = load_model(dataset, method, cfg, frames, paths, device)
    with recorded(paths, "extrapolate", f"{dataset}-{method}", cfg.model_dump(mode="json")) as run:
        run.facts["warnings"] = _warnings(cfg, model, f"params.yaml: extrapolate.{dataset}.{method}")
        given = frames.videos[:, :2].to(device).repeat(len(seeds), 1, 1, 1, 1)
        noise = ItemNoise([(seed, video) for seed in seeds for video in range(len(frames.videos))])
        states = walk(cfg, model, given[:, 0], given[:, 1], noise)
        walked = list(track(states, f"extrapolate {dataset} {method}", cfg.frames))
        videos = torch.cat([given, torch.stack([state.frame for state in walked], 1)], 1)
        trials = videos.reshape(len(seeds), len(frames.videos), *videos.shape[1:]).clamp(0, 1)
        run.facts["seconds_per_frame"] = run.seconds / (len(given) * cfg.frames)
        with replacing_folder(paths.extrapolated(dataset, method), sealed=True) as folder:
            write_tensors(folder / "trials.safetensors", {"frames": trials, "seeds": torch.tensor(seeds)})
            write_csv(folder / "walk.csv", _walk_table(walked, seeds, frames))
            if isinstance(model, Denoiser) and isinstance(cfg, Denoised) and frames.manifolds:
                found = diagnose(model, cfg.sigma, trials[0], frames.manifolds)
                rows = [_by_video({"trial": seeds[0]}, numbers, len(frames.videos)) for numbers in found]
                write_csv(folder / "diagnostics.csv", pd.concat(rows, ignore_index=True))


def _walk_table(walked: Sequence[WalkState], seeds: Sequence[int], frames: Prepared) -> pd.DataFrame:
    """One row a trial, video and generated frame: what the algorithm recorded, and where it was heading."""
    tables = []
    for index, state in enumerate(walked, start=2):
        numbers = dict(state.record)
        if state.heading is not None and frames.manifolds:
            tangents = [
                true_tangents(manifold, state.frame[video :: len(frames.videos)])
                for video, manifold in enumerate(frames.manifolds)
            ]
            numbers["heading_angle"] = angles_to(state.heading, torch.stack(tangents, 1).flatten(0, 1))
        for i, seed in enumerate(seeds):
            part = slice(i * len(frames.videos), (i + 1) * len(frames.videos))
            own = {name: values[part] for name, values in numbers.items()}
            tables.append(_by_video({"trial": seed, "frame": index}, own, len(frames.videos)))
    return pd.concat(tables, ignore_index=True)


def _by_video(fixed: dict[str, int], numbers: dict[str, Tensor], videos: int) -> pd.DataFrame:
    return pd.DataFrame({"video": range(videos), **fixed, **{name: v.tolist() for name, v in numbers.items()}})


def _warnings(cfg: Method, model: torch.nn.Module | None, section: str) -> list[str]:
    """What a reader of the results should know; shown at once, and kept in the record."""
    if not (isinstance(cfg, Denoised) and isinstance(model, Denoiser)):
        return []
    told = []
    low, high = (255 * level for level in model.sigma_range or (0, float("inf")))
    if not low <= cfg.sigma_255 <= high:
        told.append(
            f"{section}.sigma_255: {cfg.sigma_255:g} is outside the trained range {low:g}-{high:g}; "
            "expect a poor walk, or train with a larger sigma_max_255"
        )
    if model.homogeneous and not getattr(cfg, "remove_brightness", True):
        told.append(
            f"{section}.remove_brightness: false, but the denoiser is homogeneous: the image itself is a top direction "
            "of its Jacobian, and the walk may brighten instead of move; set it to true"
        )
    for message in told:
        warnings.warn(message, stacklevel=3)
    return told

"""prepare: from raw data to the videos, the frames to train on and to hold out, and the true manifold if known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.config.data import Dataset, OwnFrames, Rotated, Translated, Walker, Weizmann
from pipeline.datasets.mnist import rotated, translated
from pipeline.datasets.videos import ClipVideos, LatentVideos, held_out_frames
from pipeline.datasets.walker import walker
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.stages.artifacts import damaged, read_tensors, replacing_folder, write_json, write_tensors
from pipeline.stages.clip_files import own_videos, weizmann_videos
from pipeline.stages.records import recorded


def prepare(dataset: str, cfg: Dataset, paths: Paths) -> None:
    """Write data/prepared/DATASET."""
    with recorded(paths, "prepare", dataset, cfg.model_dump(mode="json")) as run:
        try:
            made, note = _videos(cfg, paths)
            held_out = held_out_frames(len(made.frames), cfg.held_out, cfg.seed, made.given)
        except ValueError as error:
            raise UserError(f"params.yaml: data.{dataset}.{error}") from None
        arrays, facts = _known(made)
        protocol = "held_out" if isinstance(made, LatentVideos) and made.others is not None else "paper"
        facts |= {"note": note, "protocol": protocol, "private": isinstance(cfg, Weizmann | OwnFrames)}
        with replacing_folder(paths.prepared(dataset), sealed=True) as folder:
            every = {"videos": made.videos, "held_out": held_out, **arrays}
            tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in every.items()}
            write_tensors(folder / "frames.safetensors", tensors)
            write_json(folder / "dataset.json", facts)
        run.facts["shape"] = list(made.videos.shape)


def _videos(cfg: Dataset, paths: Paths) -> tuple[LatentVideos | ClipVideos, str]:
    """The videos, and what a reader of the table should know of where they come from."""
    if isinstance(cfg, Weizmann):
        return weizmann_videos(cfg, paths.raw("weizmann"))
    if isinstance(cfg, OwnFrames):
        return own_videos(cfg, paths.root)
    if isinstance(cfg, Walker):
        return walker(cfg), ""
    return _digits(cfg, paths)


def _digits(cfg: Rotated | Translated, paths: Paths) -> tuple[LatentVideos, str]:
    """The digits' videos; with `train_digits`, and frames of other digits moved in the same way."""
    file, made_by = paths.raw("mnist") / "digits.safetensors", "manex fetch mnist"
    raw = read_tensors(file, made_by, ("images", "others"))
    if any(images.dtype != torch.uint8 or images.shape[1:] != (28, 28) for images in raw.values()):
        raise damaged(file, "not digits of 28x28", made_by)
    made = _moved(raw["images"].numpy(), cfg)
    if not cfg.train_digits:
        return made, ""
    others = raw["others"].numpy()[: cfg.train_digits]
    if len(others) < cfg.train_digits:
        raise ValueError(f"train_digits: {cfg.train_digits} of {len(others)} digits; raise fetch.mnist.others")
    frames = _moved(others, cfg.model_copy(update={"dense": 10})).frames
    return replace(made, others=frames), f"trained on {len(others)} other digits; those of the videos were never seen"


def _moved(digits: NDArray[np.uint8], cfg: Rotated | Translated) -> LatentVideos:
    return rotated(digits, cfg) if isinstance(cfg, Rotated) else translated(digits, cfg)


def _known(made: LatentVideos | ClipVideos) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """What is stored beside the videos: their manifold, or the frames they were taken from."""
    if isinstance(made, ClipVideos):
        return {"frames": made.frames}, {"latent": False, "unit": "", "period": None}
    arrays: dict[str, NDArray[Any]] = {
        "coordinates": made.coordinates,
        "dense": made.dense,
        "dense_coordinates": made.dense_coordinates,
    }
    if made.others is not None:
        arrays["frames"] = made.others
    return arrays, {"latent": True, "unit": made.unit, "period": made.period}

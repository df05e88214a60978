"""The extrapolated videos, as the stages after `extrapolate` read them."""

from __future__ import annotations

import torch
from torch import Tensor

from pipeline.paths import Paths
from pipeline.stages.artifacts import damaged, read_tensors

VIDEO = 2
"""The video that is shown where one is: of the digits a 4, which no rotation or shift leaves unchanged."""


def load_trials(dataset: str, method: str, paths: Paths) -> tuple[Tensor, list[int]]:
    """(trial, video, frame, channel, height, width) and the trials' seeds.

    Raises:
        UserError: missing or damaged.
    """
    path, made_by = paths.extrapolated(dataset, method) / "trials.safetensors", f"manex extrapolate {dataset} {method}"
    tensors = read_tensors(path, made_by, ("frames", "seeds"))
    frames, seeds = tensors["frames"], tensors["seeds"]
    if frames.ndim != 6 or frames.dtype != torch.float32 or min(frames.shape) < 1:
        raise damaged(path, "not trials of videos", made_by)
    if frames.min() < 0 or frames.max() > 1:
        raise damaged(path, "grey levels outside [0, 1]", made_by)
    if seeds.dtype != torch.int64 or seeds.shape != frames.shape[:1]:
        raise damaged(path, f"{len(frames)} trials, but not as many seeds", made_by)
    return frames, seeds.tolist()

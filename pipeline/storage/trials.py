"""The extrapolated videos, as the stages after `extrapolate` read them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.paths import Paths
from pipeline.storage.artifacts import damaged, read_tensors
from pipeline.storage.origins import check_origins

VIDEO = 2
"""The video that is shown if only one is: among the digits a 4, which every rotation and shift changes."""


@dataclass(frozen=True, eq=False)
class Trials:
    """What a method made of a dataset.

    Attributes:
        frames: (trial, video, frame, channel, height, width), the two given frames first.
        seeds: of the trials.
        headings: (trial, video, generated frame, ...), unit vectors; None if the method has none.
        record: numbers by name, (trial, video, generated frame).
    """

    frames: Tensor
    seeds: list[int]
    headings: Tensor | None
    record: dict[str, Tensor]


def load_trials(dataset: str, method: str, paths: Paths) -> Trials:
    """Read data/extrapolated/DATASET/METHOD.

    Raises:
        UserError: missing, damaged, or made from other data or another model than are here.
    """
    check_origins(paths, paths.extrapolated(dataset, method))
    path, made_by = paths.extrapolated(dataset, method) / "trials.safetensors", f"manex extrapolate {dataset} {method}"
    tensors = read_tensors(path, made_by, ("frames", "seeds"), finite=False)
    frames, seeds, headings = tensors["frames"], tensors["seeds"], tensors.get("headings")
    if frames.ndim != 6 or frames.dtype != torch.float32 or min(frames.shape) < 1:
        raise damaged(path, "not trials of videos", made_by)
    if not (frames.min() >= 0 and frames.max() <= 1):
        raise damaged(path, "grey levels outside [0, 1]", made_by)
    if seeds.dtype != torch.int64 or seeds.shape != frames.shape[:1]:
        raise damaged(path, f"{len(frames)} trials, but not as many seeds", made_by)
    generated = (*frames.shape[:2], frames.shape[2] - 2)
    record = {key.removeprefix("record."): tensor for key, tensor in tensors.items() if key.startswith("record.")}
    if headings is not None and headings.shape != (*generated, *frames.shape[3:]):
        raise damaged(path, "headings do not go with the frames", made_by)
    if any(tensor.shape != generated for tensor in record.values()):
        raise damaged(path, "records do not go with the frames", made_by)
    return Trials(frames, seeds.tolist(), headings, record)

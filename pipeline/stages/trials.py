"""The extrapolated videos, as the stages after `extrapolate` read them."""

from __future__ import annotations

from torch import Tensor

from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.stages.artifacts import read_tensors

VIDEO = 2
"""The video that is shown where one is: of the digits a 4, which no rotation or shift leaves unchanged."""


def load_trials(dataset: str, method: str, paths: Paths) -> tuple[Tensor, list[int]]:
    """(trial, video, frame, channel, height, width) and the trials' seeds.

    Raises:
        UserError: missing or damaged.
    """
    path, made_by = paths.extrapolated(dataset, method) / "trials.safetensors", f"manex extrapolate {dataset} {method}"
    tensors = read_tensors(path, made_by)
    if not {"frames", "seeds"} <= tensors.keys() or tensors["frames"].ndim != 6:
        raise UserError(f"{path}: damaged (not trials of videos); make it again with: {made_by}")
    return tensors["frames"], tensors["seeds"].tolist()

"""How long a training takes that has never run here: a few steps of it are measured, on noise."""

from __future__ import annotations

import resource
import time
from typing import Any

from pipeline.config.params import Params
from pipeline.config.training import Model, OnClips, SkippedModel
from pipeline.engine.child import Child, LostError
from pipeline.engine.project import Cell
from pipeline.engine.times import Guess
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.settings import settings

FEW, MORE = 3, 9
"""Steps between two records, of two short trainings whose difference is that of the steps alone."""

SIZE, VIDEOS = 20, 10
"""Pixels of a side and number of videos where the dataset's section does not tell."""


def seconds_of_training(cell: Cell, params: Params, paths: Paths) -> Guess | None:
    """What a cell will take that trains a network; None if it does not, or its network cannot be trained here."""
    named = [key.split(".") for key in cell.params]
    found = next((words for words in named if len(words) == 3 and words[0] == "train"), None)
    if found is None:
        return None
    _, dataset, model = found
    cfg = params.training(dataset, model)
    if isinstance(cfg, SkippedModel):
        return Guess(0.1, 0, "measured")
    section = params.dataset(dataset).model_dump()
    shape = (VIDEOS, int(section.get("frames") or 100), int(section.get("size") or SIZE))
    child = Child(_measured, (cfg, shape, settings().threads))
    try:
        answer = child.result()
    except LostError:
        return None
    if answer is None:
        return None
    seconds, memory = answer
    return Guess(seconds, memory, "measured")


def _measured(task: tuple[Model, tuple[int, int, int], int]) -> tuple[float, float] | None:
    """Seconds and megabytes of a whole training."""
    import torch

    from pipeline.training.loop import Training

    cfg, (videos, length, size), threads = task
    device = settings().model_copy(update={"threads": threads}).prepare_torch()
    frames = torch.rand(videos * length, 1, size, size, device=device)
    order = torch.arange(videos * length).reshape(videos, length) if isinstance(cfg, OnClips) else None

    def record(steps: int) -> float:
        """Seconds of so many steps and the scores after them."""
        short: Any = cfg.model_copy(update={"steps": 2 * steps, "record_every": steps})
        records = Training.begin(short, frames, frames[: max(1, len(frames) // 5)], order).run()
        next(records)  # the first one is slower: memory is asked for, kernels are chosen
        began = time.perf_counter()
        next(records)
        return time.perf_counter() - began

    try:
        few, more = record(FEW), record(MORE)
    except (ValueError, RuntimeError, UserError):
        return None
    step = max(0.0, (more - few) / (MORE - FEW))
    scores = max(0.0, few - FEW * step)
    seconds = cfg.steps * step + -(-cfg.steps // cfg.record_every) * scores
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

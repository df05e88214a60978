"""How long a training or a walk takes that has never run here: a few steps of it are measured, on noise."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Any

from pipeline.config.methods import MethodEntry
from pipeline.config.params import Params
from pipeline.config.training import TrainingEntry
from pipeline.engine.child import Child, LostError
from pipeline.engine.project import Cell
from pipeline.engine.times import Guess
from pipeline.errors import UserError
from pipeline.settings import settings

FEW, MORE = 1, 3
"""Steps between two records, of two short trainings whose difference is that of the steps alone."""

WALKED, SLOW = 2, 1.0
"""Frames that a walk is measured on, after a first one; of a walk whose first frame takes so long, that one is it."""

Shape = tuple[int, int, int]
"""Videos, frames of each, pixels of a side."""


def measured(cell: Cell, params: Params) -> Guess | None:
    """What a cell will take that trains a network or walks with one; None for others, and where that cannot be tried.

    The frames are noise in the size of the dataset, and the network is untrained: neither changes the time.
    """
    found = [words for key in cell.params if len(words := key.split(".")) == 3]
    if len(found) != 1 or found[0][0] not in ("train", "extrapolate"):
        return None
    what, dataset, name = found[0]
    shape, threads = _shape(params, dataset), settings().threads
    try:
        if what == "train":
            entry = params.training(dataset, name)
            if not isinstance(entry, TrainingEntry):
                return Guess(0, 0, "measured")
            task: tuple[Callable[[Any], Any], Any] = (_training, (entry.model_dump(mode="json"), shape, threads))
        else:
            method = params.method(dataset, name)
            if not isinstance(method, MethodEntry):
                return Guess(0, 0, "measured")
            trained = params.train.get(dataset, {}).get(method.model_name)
            task = (_walk, (method.model_dump(mode="json"), trained, len(params.trials.seeds), shape, threads))
        answer = Child(*task).result()
    except (LostError, UserError):
        return None
    if answer is None:
        return None
    seconds, memory = answer
    return Guess(seconds, memory, "measured")


def _shape(params: Params, dataset: str) -> Shape:
    """As far as the settings tell; else what is usual here."""
    section = params.dataset(dataset).model_dump()
    digits = params.model_dump().get("fetch", {}).get("mnist") or {}
    videos = section.get("people") or len(digits.get("indices") or ()) or 10
    return int(videos), int(section.get("frames") or 100), int(section.get("size") or 20)


def _training(task: tuple[dict[str, Any], Shape, int]) -> tuple[float, float] | None:
    """Seconds and megabytes of a whole training."""
    import torch

    from manex.training.loop import Training
    from pipeline.config.entries import parse_entry

    values, (videos, length, size), threads = task
    entry = parse_entry(TrainingEntry, values, "train")
    assert isinstance(entry, TrainingEntry)
    cfg = entry.settings
    device = settings().model_copy(update={"threads": threads}).prepare_torch()
    frames = torch.rand(videos * length, 1, size, size, device=device)
    rows = torch.arange(videos * length).reshape(videos, length)
    order = (rows, torch.ones_like(rows, dtype=torch.bool)) if cfg.ordered else None

    def record(steps: int) -> float:
        """Seconds of so many steps and the scores after them."""
        short = cfg.model_copy(update={"steps": 2 * steps, "record_every": steps})
        records = Training.begin(short, frames, frames[: max(1, len(frames) // 5)], order).run()
        next(records)  # the first one is slower: memory is asked for, kernels are chosen
        began = time.perf_counter()
        next(records)
        return time.perf_counter() - began

    try:
        few, more = record(FEW), record(MORE)
    except (ValueError, RuntimeError, NotImplementedError):
        return None
    step = max(0.0, (more - few) / (MORE - FEW))
    scores = max(0.0, few - FEW * step)
    return cfg.steps * step + -(-cfg.steps // cfg.record_every) * scores, _peak_mb()


def _walk(task: tuple[dict[str, Any], dict[str, Any] | None, int, Shape, int]) -> tuple[float, float] | None:
    """Seconds and megabytes of a whole walk of every trial."""
    import torch

    from manex.extrapolators.walk import walk
    from manex.noises.draws import ItemNoise
    from pipeline.config.entries import parse_entry

    values, trained, trials, (videos, _, size), threads = task
    entry = parse_entry(MethodEntry, values, "extrapolate")
    assert isinstance(entry, MethodEntry)
    device = settings().model_copy(update={"threads": threads}).prepare_torch()
    model: Any = None
    try:
        if trained is not None:
            training = parse_entry(TrainingEntry, trained, "train")
            assert isinstance(training, TrainingEntry)
            network = training.settings.build(1, size).to(device).eval().requires_grad_(False)
            model = training.settings.finished(network)
        first = torch.rand(trials * videos, 1, size, size, device=device)
        second = (first + 0.1 * torch.rand_like(first)).clamp(0, 1)
        noise = ItemNoise([(seed, video) for seed in range(trials) for video in range(videos)])
        states = walk(entry.settings, model, first, second, noise)
        began = time.perf_counter()
        next(states)
        if (took := time.perf_counter() - began) > SLOW:
            return took * entry.frames, _peak_mb()
        began = time.perf_counter()
        walked = sum(1 for _, _ in zip(range(WALKED), states, strict=False))
        return (time.perf_counter() - began) / max(1, walked) * entry.frames, _peak_mb()
    except Exception:  # a method that needs what a prepared dataset has, or a walk that noise cannot start
        return None


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

"""What a worker does: reads frames and networks, computes, and gives numbers back. It writes nothing."""

from __future__ import annotations

import ctypes
import hashlib
import math
import os
import platform
import time
import traceback
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from threadpoolctl import threadpool_limits
from torch import nn

from manex.datasets.dataset import Dataset
from manex.errors import ManexError
from manex.metrics.scores import NUMBERS, score
from manex.noises.base import Noise
from pipeline.config.entries import parse_entry
from pipeline.config.methods import MethodEntry
from pipeline.config.training import TrainingEntry
from pipeline.errors import UserError
from pipeline.models.load import load_model, load_named
from pipeline.paths import Paths
from pipeline.settings import Settings
from pipeline.stages.extrapolate import as_videos, states
from pipeline.stages.train import Part
from pipeline.storage.models import weights_of
from pipeline.storage.own_files import own_files
from pipeline.storage.prepared import load_prepared
from pipeline.sweeps.tasks import Outcome, Task, Train, Walk, code_version, digest

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's mallopt."""

_ALONE = Lock()
"""One task at a time in a process: threads, random state and a network's hooks belong to the process."""


def attempt(task: Task) -> Outcome:
    """Do a task. A failure is an answer, too: the other tasks continue."""
    with _ALONE:
        keep_freed_memory()
        began, cpu = time.perf_counter(), time.process_time()
        result, weights, message = None, b"", ""
        try:
            if task.code != code_version(*task.modules):
                raise UserError(f"the worker on {platform.node()} has other code or another torch than this machine")
            with threadpool_limits(task.threads):
                result, weights = _compute(task)
        except Exception as error:
            message = _message(error)
        measured = {
            "seconds": round(time.perf_counter() - began, 3),
            "cpu_seconds": round(time.process_time() - cpu, 3),
            "node": platform.node(),
        }
        return Outcome(task.key, result, message, measured, weights)


def keep_freed_memory() -> None:
    """Undo a setting of Dask's nanny: that glibc hands all freed memory back at once, which slows torch down."""
    if "MALLOC_TRIM_THRESHOLD_" in os.environ and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(_M_MMAP_THRESHOLD, 2**25)
        mallopt(_M_TRIM_THRESHOLD, 2**28)


def _compute(task: Task) -> tuple[dict[str, Any], bytes]:
    torch.set_num_threads(task.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    device = Settings(device=task.device).torch_device()
    dataset = _dataset(task.root, task.dataset, task.frames)
    if isinstance(task, Walk):
        return _walked(task, dataset, device), b""
    assert isinstance(task, Train)
    return _trained(task, dataset, device)


def _walked(task: Walk, dataset: Dataset, device: str) -> dict[str, Any]:
    """Every score, one number per video; None where it is not known."""
    entry = parse_entry(MethodEntry, task.entry, f"extrapolate.{task.dataset}.{task.method}")
    assert isinstance(entry, MethodEntry)
    model = _model(task, entry, dataset, device)
    given = dataset.videos[:, :2].to(device)
    walked = states(entry, model, given, [(task.seed, video) for video in range(len(given))])
    videos = as_videos(given, list(walked))
    numbers = [_finite(one.numbers) for one in score(dataset, videos.cpu(), task.window)]
    return {name: [row[name] for row in numbers] for name in NUMBERS}


def _trained(task: Train, dataset: Dataset, device: str) -> tuple[dict[str, Any], bytes]:
    """The history and the weights, as the stage `train` has them."""
    entry = parse_entry(TrainingEntry, task.entry, f"train.{task.dataset}.{task.model}")
    assert isinstance(entry, TrainingEntry)
    training = Part(task.dataset, task.model, entry).begin(dataset, device)
    history = [{"step": record.step, "loss": record.loss, **_finite(record.scores)} for record in training.run()]
    outcome = {"stopped_by": training.finished, **history[-1]}
    weights = weights_of(training.average)
    made = hashlib.sha256(weights).hexdigest()
    return {"history": history, "frames": dataset.shape, "outcome": outcome, "weights": made}, weights


@lru_cache(maxsize=2)
def _dataset(root: Path, dataset: str, expected: str) -> Dataset:
    paths = Paths(root)
    _need_same(dataset_digest(paths, dataset), expected, paths.prepared(dataset))
    return load_prepared(dataset, paths)


def _model(task: Walk, entry: MethodEntry, dataset: Dataset, device: str) -> nn.Module | None:
    if entry.plug_in:
        paths = Paths(task.root)
        _need_same(plug_in_digest(paths), task.weights, paths.plug_ins)
        return load_model(task.dataset, task.method, entry, dataset, paths, device)
    return _network(task.home, task.root, task.dataset, entry.model_name, task.frames, task.weights, device, entry.law)


@lru_cache(maxsize=2)
def _network(
    home: Path, root: Path, dataset: str, name: str, frames: str, weights: str, device: str, law: Noise | None
) -> nn.Module | None:
    paths = Paths(home)
    if weights:
        _need_same(model_digest(paths, dataset, name), weights, paths.model(dataset, name))
    return load_named(dataset, name, _dataset(root, dataset, frames), paths, device, law)


def dataset_digest(paths: Paths, dataset: str) -> str:
    """sha256 of a prepared dataset."""
    folder = paths.prepared(dataset)
    return digest(folder / "frames.safetensors", folder / "dataset.json", fix=f"make it with: manex prepare {dataset}")


def model_digest(paths: Paths, dataset: str, model: str) -> str:
    """sha256 of a trained network: its weights and its settings."""
    folder = paths.model(dataset, model)
    fix = f"make it with: manex train {dataset} {model.partition('/')[0]}"
    return digest(folder / "weights.safetensors", folder / "model.json", fix=fix)


def plug_in_digest(paths: Paths) -> str:
    """sha256 of all that plug-in denoisers may be made of."""
    return digest(*(paths.root / path for path in own_files(paths.root)), fix="put it back")


def _need_same(found: str, expected: str, folder: Path) -> None:
    if found != expected:
        raise UserError(f"{folder}: on {platform.node()} not the files the sweep began with; run the sweep again")


def _message(error: Exception) -> str:
    """The error in one line; those that are not ours with the place where they arose."""
    message = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, ManexError):
        return message
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {message} ({Path(place.filename).name}:{place.lineno})"


def _finite(numbers: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}  # JSON has no NaN

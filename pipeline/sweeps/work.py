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
from safetensors.torch import save
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

from pipeline.config.methods import Method
from pipeline.config.own import OwnDenoiser
from pipeline.config.training import OnClips
from pipeline.config.walks import Denoised
from pipeline.errors import UserError
from pipeline.extrapolators.base import ItemNoise
from pipeline.extrapolators.walk import walk
from pipeline.metrics.coordinates import summarize, trace
from pipeline.metrics.dtw import dtw_scores
from pipeline.metrics.ssim import ssim_distances
from pipeline.paths import Paths
from pipeline.settings import Settings
from pipeline.stages.models import load_model, load_named
from pipeline.stages.prepared import Prepared, load_prepared
from pipeline.sweeps.tasks import Outcome, Task, Train, Walk, code_version, digest
from pipeline.training.loop import Training

COORDINATES = ("coverage", "reversals", "stalls", "jumps", "mean_speed", "distance")

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Parameters of glibc's mallopt."""

_ALONE = Lock()
"""One task at a time in a process: threads, random state and a network's hooks belong to the process."""


def attempt(task: Task) -> Outcome:
    """Do a task. A failure is an answer, too: the other tasks go on."""
    with _ALONE:
        keep_freed_memory()
        began, cpu = time.perf_counter(), time.process_time()
        result, weights, message = None, b"", ""
        try:
            if task.code != code_version():
                raise UserError(f"the worker on {platform.node()} has other code or another torch than this machine")
            with threadpool_limits(task.threads):
                result, weights = _compute(task)
        except Exception as error:
            message = _told(error)
        measured = {
            "seconds": round(time.perf_counter() - began, 3),
            "cpu_seconds": round(time.process_time() - cpu, 3),
            "node": platform.node(),
        }
        return Outcome(task.key, result, message, measured, weights)


def keep_freed_memory() -> None:
    """Undo what Dask's nanny tells glibc: to hand all freed memory back at once, which slows torch down."""
    if "MALLOC_TRIM_THRESHOLD_" in os.environ and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)):
        mallopt(_M_MMAP_THRESHOLD, 2**25)
        mallopt(_M_TRIM_THRESHOLD, 2**28)


def _compute(task: Task) -> tuple[dict[str, Any], bytes]:
    torch.set_num_threads(task.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    device = Settings(device=task.device).torch_device()
    frames = _frames(task.root, task.dataset, task.frames)
    if isinstance(task, Walk):
        return _walked(task, frames, device), b""
    assert isinstance(task, Train)
    return _trained(task, frames, device)


def _walked(task: Walk, frames: Prepared, device: str) -> dict[str, Any]:
    """DTW-SSID and the recovered coordinate, a number a video; None where no manifold is known."""
    model = _model(task, frames, device)
    given = frames.videos[:, :2].to(device)
    noise = ItemNoise([(task.seed, video) for video in range(len(given))])
    walked = [state.frame for state in walk(task.cfg, model, given[:, 0], given[:, 1], noise)]
    videos = torch.cat([given, torch.stack(walked, 1)], 1).clamp(0, 1).cpu()
    distances = [ssim_distances(truth, own) for truth, own in zip(frames.videos, videos, strict=True)]
    scores = dtw_scores(torch.stack(distances))
    return {
        "dtw_ssid": scores.exact.tolist(),
        "dtw_ssid_greedy": scores.greedy.tolist(),
        **_coordinates(frames, videos),
    }


def _coordinates(frames: Prepared, videos: Tensor) -> dict[str, list[float | None]]:
    if not frames.manifolds:
        return {name: [None] * len(videos) for name in COORDINATES}
    found = [summarize(m, trace(m, video)) for m, video in zip(frames.manifolds, videos, strict=True)]
    return {name: [float(getattr(summary, name)) for summary in found] for name in COORDINATES}


def _trained(task: Train, frames: Prepared, device: str) -> tuple[dict[str, Any], bytes]:
    """The history and the weights, as the stage `train` has them."""
    shape = {"channels": frames.videos.shape[2], "size": frames.videos.shape[-1]}
    order = frames.order if isinstance(task.cfg, OnClips) else None
    training = Training.begin(task.cfg, frames.training_frames.to(device), frames.held_out_frames.to(device), order)
    history = [{"step": record.step, "loss": record.loss, **_finite(record.scores)} for record in training.run()]
    weights = {name: tensor.contiguous().cpu() for name, tensor in training.average.state_dict().items()}
    outcome = {"stopped_by": training.finished, **history[-1]}
    content = save(weights)
    made = hashlib.sha256(content).hexdigest()
    return {"history": history, "frames": shape, "outcome": outcome, "weights": made}, content


@lru_cache(maxsize=2)
def _frames(root: Path, dataset: str, expected: str) -> Prepared:
    paths = Paths(root)
    _need_same(dataset_digest(paths, dataset), expected, paths.prepared(dataset))
    return load_prepared(dataset, paths)


def _model(task: Walk, frames: Prepared, device: str) -> nn.Module | None:
    if is_own(task.cfg):
        paths = Paths(task.root)
        _need_same(own_digest(paths), task.weights, paths.own)
        return load_model(task.dataset, task.method, task.cfg, frames, paths, device)
    return _network(task.home, task.root, task.dataset, task.cfg.model_name, task.frames, task.weights, device)


@lru_cache(maxsize=2)
def _network(
    home: Path, root: Path, dataset: str, name: str, frames: str, weights: str, device: str
) -> nn.Module | None:
    paths = Paths(home)
    if weights:
        _need_same(model_digest(paths, dataset, name), weights, paths.model(dataset, name))
    return load_named(dataset, name, _frames(root, dataset, frames), paths, device)


def dataset_digest(paths: Paths, dataset: str) -> str:
    """sha256 of a prepared dataset."""
    folder = paths.prepared(dataset)
    return digest(folder / "frames.safetensors", folder / "dataset.json")


def model_digest(paths: Paths, dataset: str, model: str) -> str:
    """sha256 of a trained network: its weights and its settings."""
    folder = paths.model(dataset, model)
    return digest(folder / "weights.safetensors", folder / "model.json")


def is_own(cfg: Method) -> bool:
    """Whether a method walks with a denoiser that somebody brought along."""
    return isinstance(cfg, Denoised) and isinstance(cfg.denoiser, OwnDenoiser)


def own_digest(paths: Paths) -> str:
    """sha256 of all that own denoisers may be made of."""
    return digest(*(paths.root / path for path in paths.own_files()))


def _need_same(found: str, expected: str, folder: Path) -> None:
    if found != expected:
        raise UserError(f"{folder}: on {platform.node()} not the files the sweep began with; run the sweep again")


def _told(error: Exception) -> str:
    """In one line: errors of ours say enough, others say where they arose."""
    message = " ".join(str(error).split()) or type(error).__name__
    if type(error).__module__.startswith("pipeline."):
        return message
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {message} ({Path(place.filename).name}:{place.lineno})"


def _finite(numbers: dict[str, float]) -> dict[str, float | None]:
    return {name: value if math.isfinite(value) else None for name, value in numbers.items()}  # JSON has no NaN

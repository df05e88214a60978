"""train: one network on one dataset's frames, shuffled unless it needs clips, resumable at any moment."""

from __future__ import annotations

import warnings
from pathlib import Path

import pandas as pd

from pipeline import runs
from pipeline.config.training import Model, OnClips
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.progress import track
from pipeline.settings import settings
from pipeline.stages.artifacts import read_tensors, replacing_folder, write_csv, write_json, write_tensors
from pipeline.stages.prepared import Prepared, load_prepared
from pipeline.stages.records import recorded
from pipeline.training.checkpoint import Checkpoint, History, fingerprint
from pipeline.training.loop import Training, TrainingDivergedError


def train(dataset: str, model: str, cfg: Model, paths: Paths) -> None:
    """Write models/DATASET/MODEL: weights, settings, history of loss and PSNR.

    A checkpoint is kept after every record, outside the tracked folder. A run that was killed goes on from it and ends
    with the same weights as one that was not; a checkpoint of other settings or other frames is not used.
    """
    device = settings().prepare_torch()
    frames = load_prepared(dataset, paths)
    path = paths.checkpoint(dataset, model)
    item, values = f"{dataset}-{model}", cfg.model_dump(mode="json")
    with recorded(paths, "train", item, values) as run, runs.live(paths, "train", item, values) as view:
        training = _training(cfg, frames, device, f"train.{dataset}.{model}")
        key = fingerprint(cfg.model_dump_json(), frames.training_frames)
        history = _resume(training, _read(path, dataset, model), key) if path.is_file() else []
        run.facts["resumed_at"] = training.step
        try:
            records = -(-(cfg.steps - training.step) // cfg.record_every)
            for record in track(training.run(), f"train {dataset} {model}", records):
                history.append({"step": record.step, "loss": record.loss, **record.scores})
                view.log(record.step, {"loss": record.loss, **record.scores})
                write_tensors(path, Checkpoint(key, history, training.state()).tensors())
        except TrainingDivergedError as error:
            raise UserError(
                f"train.{dataset}.{model}: {error}; the last good state is in {path}: remove it to start afresh"
            ) from None
        with replacing_folder(paths.model(dataset, model), sealed=True) as folder:
            write_tensors(folder / "weights.safetensors", training.average.state_dict())
            write_csv(folder / "history.csv", pd.DataFrame(history))
            shape = {"channels": frames.videos.shape[2], "size": frames.videos.shape[-1]}
            outcome = {"stopped_by": training.finished, **history[-1]}
            write_json(folder / "model.json", {"settings": values, "frames": shape, "outcome": outcome})
    path.unlink(missing_ok=True)


def _training(cfg: Model, frames: Prepared, device: str, field: str) -> Training:
    order = frames.order if isinstance(cfg, OnClips) else None
    try:
        return Training.begin(cfg, frames.training_frames.to(device), frames.held_out_frames.to(device), order)
    except ValueError as error:
        raise UserError(f"params.yaml: {field}: {error}") from None


def _read(path: Path, dataset: str, model: str) -> Checkpoint:
    mend = f"rm {path} && manex train {dataset} {model}"
    try:
        return Checkpoint.of(read_tensors(path, mend, finite=False))
    except ValueError as error:
        raise UserError(f"{path}: damaged ({error}); make it again with: {mend}") from None


def _resume(training: Training, checkpoint: Checkpoint, key: str) -> History:
    if checkpoint.key != key:
        warnings.warn("the checkpoint is of other settings or frames: training starts afresh", stacklevel=2)
        return []
    training.restore(checkpoint.state)
    return checkpoint.history

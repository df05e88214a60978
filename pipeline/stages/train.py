"""train: one network on one dataset's frames, shuffled unless it needs clips, resumable at any moment."""

from __future__ import annotations

import warnings
from pathlib import Path

import pandas as pd

from manex.datasets.dataset import Dataset
from manex.training.checkpoint import Checkpoint, History, fingerprint
from manex.training.loop import Training, TrainingDivergedError
from pipeline.config.training import TrainingEntry
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.progress import track
from pipeline.settings import settings
from pipeline.storage.artifacts import read_tensors, replacing_folder, write_csv, write_json, write_tensors
from pipeline.storage.prepared import load_prepared
from pipeline.tracking import sync
from pipeline.tracking.record import recorded


def train(name: str, model: str, entry: TrainingEntry, paths: Paths) -> None:
    """Write models/NAME/MODEL: weights, settings, history of loss and PSNR.

    A checkpoint is kept after every record, outside the tracked folder. A run that was killed goes on from it and ends
    with the same weights as one that was not; a checkpoint of other settings or other frames is not used.
    """
    device = settings().prepare_torch()
    dataset = load_prepared(name, paths)
    path = paths.checkpoint(name, model)
    item, values = f"{name}-{model}", entry.model_dump(mode="json")
    with recorded(paths, "train", item, values) as run, sync.live(paths, "train", item, values) as view:
        run.dataset, run.model = name, model
        training = _training(entry, dataset, device, f"train.{name}.{model}")
        key = fingerprint(entry.model_dump_json(), dataset.training_frames)
        history = _resume(training, _read(path, name, model), key) if path.is_file() else []
        run.facts["resumed_at"] = training.step
        try:
            records = -(-(entry.settings.steps - training.step) // entry.settings.record_every)
            for record in track(training.run(), f"train {name} {model}", records):
                history.append({"step": record.step, "loss": record.loss, **record.scores})
                view.log(record.step, {"loss": record.loss, **record.scores})
                write_tensors(path, Checkpoint(key, history, training.state()).tensors())
        except TrainingDivergedError as error:
            raise UserError(
                f"train.{name}.{model}: {error}; the last good state is in {path}: remove it to start afresh"
            ) from None
        folder = paths.model(name, model)
        with replacing_folder(folder, sealed=True) as temporary:
            write_tensors(temporary / "weights.safetensors", training.average.state_dict())
            write_csv(temporary / "history.csv", pd.DataFrame(history))
            outcome = {"stopped_by": training.finished, **history[-1]}
            write_json(temporary / "model.json", {"settings": values, "frames": dataset.shape, "outcome": outcome})
        run.series = [(int(row["step"]), {k: v for k, v in row.items() if k != "step"}) for row in history]
        run.files = [folder / "history.csv", folder / "model.json"]
    path.unlink(missing_ok=True)


def _training(entry: TrainingEntry, dataset: Dataset, device: str, field: str) -> Training:
    cfg = entry.settings
    order = dataset.order if cfg.ordered else None
    try:
        return Training.begin(cfg, dataset.training_frames.to(device), dataset.held_out_frames.to(device), order)
    except ValueError as error:
        raise UserError(f"params.yaml: {field}: {error}") from None


def _read(path: Path, name: str, model: str) -> Checkpoint:
    fix = f"rm {path} && manex train {name} {model}"
    try:
        return Checkpoint.of(read_tensors(path, fix, finite=False))
    except ValueError as error:
        raise UserError(f"{path}: damaged ({error}); make it again with: {fix}") from None


def _resume(training: Training, checkpoint: Checkpoint, key: str) -> History:
    if checkpoint.key != key:
        warnings.warn("the checkpoint is of other settings or frames: training starts afresh", stacklevel=2)
        return []
    training.restore(checkpoint.state)
    return checkpoint.history

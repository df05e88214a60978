"""train: one network, or a family, on one dataset's frames, shuffled unless it needs clips, resumable at any moment."""

from __future__ import annotations

import warnings
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from manex.datasets.dataset import Dataset
from manex.training.checkpoint import Checkpoint, History, fingerprint
from manex.training.loop import Training, TrainingDivergedError
from pipeline.config.training import TrainingEntry
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.progress import track
from pipeline.settings import settings
from pipeline.storage.artifacts import read_tensors, replacing_folder, write_tensors
from pipeline.storage.models import weights_of, write_model
from pipeline.storage.origins import origins
from pipeline.storage.prepared import load_prepared
from pipeline.tracking import sync
from pipeline.tracking.record import recorded

if TYPE_CHECKING:
    from manex.training.family import Subset  # part of the code of families alone


def train(name: str, model: str, entry: TrainingEntry, paths: Paths) -> None:
    """Write models/NAME/MODEL: weights, settings, history of loss and PSNR; for a family a folder of these per member.

    A checkpoint is kept after every record, outside the tracked folder. A killed run continues from it and ends with
    the same weights as an uninterrupted one. A checkpoint of other settings or frames is not used.
    """
    device, dataset, folder = settings().prepare_torch(), load_prepared(name, paths), paths.model(name, model)
    with ExitStack() as records:  # they are written last, for they hold the hashes of what was written
        if not entry.parts:
            _train(Part(name, model, entry), dataset, device, paths, folder, records)
        else:
            with replacing_folder(folder) as temporary:
                for member, (own, subset) in entry.parts.items():
                    part = Part(name, f"{model}/{member}", own, subset)
                    _train(part, dataset, device, paths, temporary / member, records)
    for trained in entry.names(model):
        paths.checkpoint(name, trained).unlink(missing_ok=True)


@dataclass(frozen=True)
class Part:
    """One network to be trained: a model, or a member of a family."""

    dataset: str
    model: str
    entry: TrainingEntry
    subset: Subset | None = None

    @property
    def field(self) -> str:
        """Where params.yaml has it."""
        return f"train.{self.dataset}.{self.model.replace('/', '.members.')}"

    def begin(self, dataset: Dataset, device: str) -> Training:
        """The untrained network."""
        cfg, shuffled = self.entry.settings, (dataset.training_frames, dataset.held_out_frames)
        try:
            frames, held_out = self.subset.frames(dataset) if self.subset else shuffled
            order = dataset.order if cfg.ordered else None
            return Training.begin(cfg, frames.to(device), held_out.to(device), order)
        except ValueError as error:
            raise UserError(f"params.yaml: {self.field}: {error}") from None


def _train(part: Part, dataset: Dataset, device: str, paths: Paths, folder: Path, records: ExitStack) -> None:
    """Train to the end and write `folder`; the checkpoint stays, and the record is written when `records` ends."""
    name, model, entry = part.dataset, part.model, part.entry
    path = paths.checkpoint(name, model)
    item, values = f"{name}-{model}", entry.model_dump(mode="json")
    run = records.enter_context(recorded(paths, "train", item, values))
    with sync.live(paths, "train", item, values) as view:
        run.dataset, run.model = name, model
        made_from = origins(paths, paths.prepared(name))
        training = part.begin(dataset, device)
        key = fingerprint(entry.model_dump_json(), training.frames)
        history = _resume(training, _read(path, part), key) if path.is_file() else []
        run.facts["resumed_at"] = training.step
        try:
            scored = -(-(entry.settings.steps - training.step) // entry.settings.record_every)
            for record in track(training.run(), f"train {name} {model}", scored):
                history.append({"step": record.step, "loss": record.loss, **record.scores})
                view.log(record.step, {"loss": record.loss, **record.scores})
                write_tensors(path, Checkpoint(key, history, training.state()).tensors())
        except TrainingDivergedError as error:
            raise UserError(
                f"{part.field}: {error}; the last good state is in {path}: remove it to start afresh"
            ) from None
        facts: dict[str, Any] = {"settings": values, "frames": dataset.shape}
        if part.subset:
            facts["subset"] = part.subset.model_dump(mode="json")
        facts["outcome"] = {"stopped_by": training.finished, **history[-1]}
        write_model(folder, weights_of(training.average), history, facts, made_from)
        run.series = [(int(row["step"]), {k: v for k, v in row.items() if k != "step"}) for row in history]
        run.files = [paths.model(name, model) / file for file in ("history.csv", "model.json")]
    run.stop()


def _read(path: Path, part: Part) -> Checkpoint:
    fix = f"rm {path} && manex train {part.dataset} {part.model.partition('/')[0]}"
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

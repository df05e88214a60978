"""What a sweep keeps: one file per task, named by its hash; the networks it trained. The parent alone writes."""

from __future__ import annotations

import fcntl
import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.storage.artifacts import sha256, write_json
from pipeline.storage.models import write_model
from pipeline.sweeps.tasks import Outcome, Task, Train


class Store:
    """The folder of a sweep."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file(self, task: Task) -> Path:
        return self.folder / "cells" / f"{task.key}.json"

    def home(self, task: Train) -> Path:
        """A folder whose models/ holds the network that a training made."""
        return (self.folder / "trainings" / task.key).resolve()

    def read(self, task: Task) -> Outcome | None:
        """What became of a task; None if it was not done yet, or what is kept of it is damaged."""
        path = self.file(task)
        try:
            kept = json.loads(path.read_text())
            if kept["sha256"] != _seal(kept):
                raise ValueError("its content is not what was written")
            if isinstance(task, Train) and kept["result"] is not None:
                weights = Paths(self.home(task)).model(task.dataset, task.model) / "weights.safetensors"
                if sha256(weights) != kept["result"]["weights"]:
                    raise ValueError(f"{weights} is not what was written")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            sys.stderr.write(f"manex: {path}: damaged ({error}); done again\n")
            return None
        return Outcome(task.key, kept["result"], kept["message"], kept["measured"])

    def write(self, task: Task, outcome: Outcome) -> None:
        """Keep an outcome: a network first, then the file that says it is there."""
        if isinstance(task, Train) and outcome.result is not None:
            self._write_network(task, outcome)
        kept = {
            "identity": task.identity,
            "result": outcome.result,
            "message": outcome.message,
            "measured": outcome.measured,
        }
        write_json(self.file(task), {**kept, "sha256": _seal(kept)})

    def _write_network(self, task: Train, outcome: Outcome) -> None:
        assert outcome.result is not None
        facts = {name: outcome.result[name] for name in ("frames", "outcome")}
        folder = Paths(self.home(task)).model(task.dataset, task.model)
        write_model(folder, outcome.weights, outcome.result["history"], {"settings": task.entry, **facts})

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Lock the folder: two sweeps at once would do everything twice.

        Raises:
            UserError: another sweep holds it, or it cannot be written to.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / ".lock").open("w")
        except OSError as error:
            raise UserError(f"{self.folder}: cannot be written: {error.strerror or error}") from None
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # goes with the process, however it ends
            except OSError:
                raise UserError(f"{self.folder}: another manex sweep is at work there; wait for it to end") from None
            yield


def _seal(kept: dict[str, Any]) -> str:
    """Hash of all but what is measured and the seal itself."""
    sealed = [kept["identity"], kept["result"], kept["message"]]
    return hashlib.sha256(json.dumps(sealed, sort_keys=True).encode()).hexdigest()

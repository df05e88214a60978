"""What a worker is asked to do, and what it answers. Both are plain values: they travel to other machines."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import manex
from pipeline.closure import Source
from pipeline.errors import UserError
from pipeline.storage.artifacts import sha256

if TYPE_CHECKING:
    from manex.metrics.ssim import Window


@dataclass(frozen=True)
class Task:
    """Common to both kinds.

    Attributes:
        root: the project's folder, where a worker reads the frames.
        frames: sha256 of the prepared dataset; a worker that finds other files refuses.
        threads: of torch and BLAS.
        device: as in MANEX_DEVICE; `auto` is settled where the task runs.
        modules: of the library, that the settings name.
        code: `code_version(*modules)` of the parent; a worker with other code refuses.
    """

    root: Path
    dataset: str
    frames: str
    threads: int
    device: str
    modules: tuple[str, ...]
    code: str

    @property
    def identity(self) -> dict[str, Any]:
        """Everything that the result depends on."""
        return {"dataset": self.dataset, "frames": self.frames, "threads": self.threads, "code": self.code}

    @cached_property
    def key(self) -> str:
        """Hash of the identity: the task's name, wherever and whenever it runs."""
        return hashlib.sha256(json.dumps(self.identity, sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True)
class Walk(Task):
    """Extrapolate every video of a dataset with the noise of one trial, and score them.

    Attributes:
        entry: the method, as params.yaml has it.
        home: the folder whose models/ holds the network: the project's, or that of a training of the sweep.
        weights: sha256 of the network's files, or of those of plug-in denoisers; "": the method needs none.
        window: of SSIM.
    """

    method: str
    entry: dict[str, Any]
    seed: int
    home: Path
    weights: str
    window: Window

    @property
    def identity(self) -> dict[str, Any]:
        settings = {name: value for name, value in self.entry.items() if name != "block"}
        return super().identity | {
            "settings": settings,
            "seed": self.seed,
            "weights": self.weights,
            "window": self.window,
        }


@dataclass(frozen=True)
class Train(Task):
    """Train a network; its seed is in the settings."""

    model: str
    entry: dict[str, Any]

    @property
    def identity(self) -> dict[str, Any]:
        return super().identity | {"model": self.model, "training": self.entry}


@dataclass(frozen=True)
class Outcome:
    """What became of a task.

    Attributes:
        result: numbers, the same bits wherever it ran; None: it failed.
        message: why it failed.
        measured: seconds and the like, which differ from run to run.
        weights: of a training, as a safetensors file holds them.
    """

    key: str
    result: dict[str, Any] | None
    message: str = ""
    measured: dict[str, Any] = field(default_factory=dict)
    weights: bytes = b""


def digest(*files: Path, fix: str) -> str:
    """sha256 over the content of files, in order.

    Raises:
        UserError: one cannot be read; `fix` says what to do.
    """
    whole = hashlib.sha256()
    for file in files:
        try:
            whole.update(bytes.fromhex(sha256(file)))
        except OSError as error:
            raise UserError(f"{file}: {error.strerror or error}; {fix}") from None
    return whole.hexdigest()


WORKER = "pipeline.sweeps.work"
LIBRARIES = ("torch", "numpy", "scipy", "scikit-image")
source = cache(lambda: Source(Path(manex.__file__).parents[1]))


@cache
def code_version(*modules: str) -> str:
    """Hash of the code that a task runs, and of the versions of the libraries that it computes with.

    Args:
        modules: that the settings name, so that no import statement leads to them.
    """
    facts = {name: version(name) for name in LIBRARIES} | source().closure([WORKER, *modules])
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]

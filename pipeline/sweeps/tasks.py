"""What a worker is asked to do, and what it answers. Both are plain values: they travel to other machines."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import manex
from pipeline.closure import Source
from pipeline.errors import UserError


@dataclass(frozen=True)
class Task:
    """Common to both kinds.

    Attributes:
        root: the project's folder, where a worker reads the frames.
        frames: sha256 of the prepared dataset; a worker that finds other files refuses.
        threads: of torch and BLAS.
        device: as in MANEX_DEVICE; `auto` is settled where the task runs.
        code: `code_version()` of the parent; a worker with other code refuses.
    """

    root: Path
    dataset: str
    frames: str
    threads: int
    device: str
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
    """

    method: str
    entry: dict[str, Any]
    seed: int
    home: Path
    weights: str

    @property
    def identity(self) -> dict[str, Any]:
        settings = {name: value for name, value in self.entry.items() if name != "block"}
        return super().identity | {"settings": settings, "seed": self.seed, "weights": self.weights}


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


def digest(*files: Path) -> str:
    """sha256 over the content of files, in order.

    Raises:
        UserError: one cannot be read.
    """
    whole = hashlib.sha256()
    for file in files:
        try:
            whole.update(hashlib.sha256(file.read_bytes()).digest())
        except OSError as error:
            raise UserError(f"{file}: cannot be read: {error.strerror or error}") from None
    return whole.hexdigest()


@cache
def code_version() -> str:
    """Hash of the code that decides what a task computes, and of the versions of torch and numpy."""
    versions = [f"{name} {version(name)}" for name in ("torch", "numpy", "scipy", "scikit-image")]
    root = Path(manex.__file__).parents[1]
    kinds = [
        f"manex.{package}.{path.stem}" for package in KINDS for path in sorted((root / "manex" / package).glob("*.py"))
    ]
    files = Source(root).closure(["pipeline.sweeps.work", *kinds])
    return hashlib.sha256("\n".join([*versions, *(f"{a} {b}" for a, b in files.items())]).encode()).hexdigest()[:16]


KINDS = ("denoisers", "extrapolators", "noises", "training")
"""Packages whose files are found by the names in settings."""

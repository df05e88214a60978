"""What a worker is asked to do, and what it answers. Both are plain values: they travel to other machines."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pipeline
from pipeline.config.methods import Method
from pipeline.config.training import Model
from pipeline.errors import UserError

SOURCES = (
    *(
        "arrays.py",
        "config/methods.py",
        "config/own.py",
        "config/rivals.py",
        "config/walks.py",
        "config/section.py",
        "config/training.py",
        "denoisers",
        "extrapolators",
    ),
    *("geometry", "metrics", "networks", "stages/artifacts.py", "stages/models.py", "stages/own.py"),
    *("stages/libraries.py", "stages/own_weights.py", "stages/prepared.py"),
    *("sweeps/work.py", "training"),
)
"""Files and folders of this package that decide what a task computes: a change in them makes every task a new one."""


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
        home: the folder whose models/ holds the network: the project's, or that of a training of the sweep.
        weights: sha256 of the network's files, or of those of own denoisers; "": the method needs none.
    """

    method: str
    cfg: Method
    seed: int
    home: Path
    weights: str

    @property
    def identity(self) -> dict[str, Any]:
        settings = self.cfg.model_dump(mode="json", exclude={"block"})
        return super().identity | {"settings": settings, "seed": self.seed, "weights": self.weights}


@dataclass(frozen=True)
class Train(Task):
    """Train a network; its seed is in the settings."""

    model: str
    cfg: Model

    @property
    def identity(self) -> dict[str, Any]:
        return super().identity | {"model": self.model, "training": self.cfg.model_dump(mode="json")}


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
    """Hash of the source files that decide what a task computes, and of the versions of torch and numpy."""
    versions = [f"{name} {version(name)}" for name in ("torch", "numpy", "scipy", "scikit-image")]
    package = Path(pipeline.__file__).parent
    files = sorted(path for name in SOURCES for path in _python(package / name))
    names = [path.relative_to(package).as_posix() for path in files]
    return hashlib.sha256("\n".join([*versions, *names, digest(*files)]).encode()).hexdigest()[:16]


def _python(path: Path) -> Iterable[Path]:
    return path.rglob("*.py") if path.is_dir() else (path,)

"""The outcome of a run of a stage, read from its record. Nothing here knows MLflow: `store` passes it on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.paths import Paths
from pipeline.tracking.record import Numbers

Step = tuple[int, Numbers]

RECORD = {
    "stage": str,
    "item": str,
    "params": dict,
    "started": str,
    "seconds": int | float,
    "commit": str,
    "metrics": dict,
    "series": list,
    "files": list,
    "dataset": str,
    "model": str,
}
"""What tracking needs of a record."""


class DamagedError(Exception):
    """A record that cannot be read."""


@dataclass(frozen=True)
class Outcome:
    """A record, as MLflow takes it.

    Attributes:
        key: hash of the record, by which it is found again.
        started, ended: milliseconds since 1970.
        steps: metrics by step (train), by trial and by frame (evaluate).
        final: metrics of the whole, including the numeric facts of the record.
        words: the facts that are not numbers.
        frames: the dataset's name and its prepared frames, if the run read one.
        model: what a training made, or a walk used.
    """

    stage: str
    item: str
    key: str
    started: int
    ended: int
    commit: str
    params: dict[str, str]
    steps: list[Step]
    final: Numbers
    words: dict[str, str]
    files: list[Path]
    frames: tuple[str, Path] | None
    model: str


def read_outcome(paths: Paths, path: Path) -> Outcome:
    """Read a record.

    Raises:
        DamagedError: it cannot be read.
    """
    try:
        record = json.loads(path.read_bytes())
        for name, kind in RECORD.items():
            if not isinstance(record[name], kind):
                raise ValueError(f"{name} is {record[name]!r}")
        started = int(datetime.fromisoformat(record["started"]).timestamp() * 1000)
        steps = [
            (int(step), {str(key): float(value) for key, value in numbers.items()})
            for step, numbers in record["series"]
        ]
        metrics = {str(key): float(value) for key, value in record["metrics"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedError(f"{path}: damaged ({error})") from None
    numbers, words = _facts(record)
    prepared = paths.prepared(record["dataset"]) / "frames.safetensors" if record["dataset"] else None
    files = [paths.root / file for file in record["files"]]
    return Outcome(
        stage=record["stage"],
        item=record["item"],
        key=hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest(),
        started=started,
        ended=started + int(1000 * record["seconds"]),
        commit=record["commit"].rstrip("+"),
        params=flat(record["params"]),
        steps=steps,
        final={**numbers, **metrics},
        words=words,
        files=[path, *(file for file in files if file.is_file())],
        frames=(record["dataset"], prepared) if prepared and prepared.is_file() else None,
        model=record["model"],
    )


def cell(stage: str, item: str) -> str:
    """A run of a stage as DVC calls it, such as train@rotated_mnist-resunet."""
    return f"{stage}@{item}" if item else stage


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Nested settings as `a.b: text`."""
    texts: dict[str, str] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            texts |= flat(value, f"{prefix}{name}.")
        else:
            texts[prefix + name] = value if isinstance(value, str) else json.dumps(value)
    return texts


def _facts(record: Mapping[str, Any]) -> tuple[Numbers, dict[str, str]]:
    """The numbers and the other facts of a record."""
    numbers: Numbers = {}
    words = {name: str(record.get(name, "")) for name in ("lock", "commit")}  # hashes may look like numbers
    handled = {*words, "stage", "item", "params", "started", "metrics", "series", "files", "dataset", "model"}
    for name, text in flat({name: value for name, value in record.items() if name not in handled}).items():
        try:
            numbers[name] = float(json.loads(text))
        except (ValueError, TypeError):
            words[name] = text
    return numbers, words

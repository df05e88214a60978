"""The outcome of a run of a stage, read from its record. Nothing here knows MLflow: `store` passes it on."""

from __future__ import annotations

import hashlib
import json
import re
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
    "trace": dict,
}
"""What tracking needs of a record."""


class DamagedError(Exception):
    """A record that cannot be read."""


@dataclass(frozen=True)
class Outcome:
    """A record, as MLflow takes it.

    Attributes:
        text: the record itself.
        key: its hash, by which it is found again.
        started, ended: milliseconds since 1970.
        series: metrics by step (train), by trial and by frame (evaluate).
        metrics: of the whole.
        numbers, words: the facts of the record.
        files: what the run made.
        frames: the dataset's name and its prepared frames, where the run read one.
        model: what a training made, or a walk used.
    """

    stage: str
    item: str
    text: str
    key: str
    started: int
    ended: int
    commit: str
    params: dict[str, str]
    series: list[Step]
    metrics: Numbers
    numbers: Numbers
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
        return _outcome(paths, path, json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise DamagedError(f"{path}: damaged ({type(error).__name__}: {error})") from None


def _outcome(paths: Paths, path: Path, record: dict[str, Any]) -> Outcome:
    for name, kind in RECORD.items():
        if not isinstance(record[name], kind):
            raise ValueError(f"{name} is {str(record[name])[:60]!r}")
    places = (paths.record(record["stage"], record["item"]), paths.earlier(record["stage"], record["item"]) / path.name)
    if path not in places or not re.fullmatch(r"[0-9a-f]*\+?", record["commit"]):
        raise ValueError("it is the record of something else")
    numbers, words = _facts(record)
    started = int(datetime.fromisoformat(record["started"]).timestamp() * 1000)
    frames = paths.prepared(record["dataset"]) / "frames.safetensors"
    return Outcome(
        stage=record["stage"],
        item=record["item"],
        text=json.dumps(record, indent=1, sort_keys=True),
        key=hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest(),
        started=started,
        ended=started + int(1000 * record["seconds"]),
        commit=record["commit"].rstrip("+"),
        params=flat(record["params"]),
        series=[(int(step), _floats(row)) for step, row in record["series"]],
        metrics=_floats(record["metrics"]),
        numbers=numbers,
        words=words,
        files=[file for name in record["files"] if (file := paths.root / name).is_file()],
        frames=(record["dataset"], frames) if record["dataset"] and frames.is_file() else None,
        model=record["model"],
    )


def _floats(numbers: Mapping[str, Any]) -> Numbers:
    return {name: float(value) for name, value in numbers.items()}


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
    handled = {*words, *RECORD} - {"seconds"}
    for name, text in flat({name: value for name, value in record.items() if name not in handled}).items():
        try:
            numbers[name] = float(json.loads(text))
        except (ValueError, TypeError):
            words[name] = text
    return numbers, words

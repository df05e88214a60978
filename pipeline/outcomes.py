"""What a run of a stage amounts to: settings, metrics by step, final metrics, files; read from its record.

Nothing here knows MLflow: `tracking` hands it over.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.paths import Paths

Numbers = dict[str, float]
Step = tuple[int, Numbers]


RECORD = {"stage": str, "item": str, "params": dict, "started": str, "seconds": int | float, "commit": str}
"""What tracking needs of a record."""

NOT_FACTS = {"stage", "item", "params", "started"}


class DamagedError(Exception):
    """A record, or a table beside it, that cannot be read."""


@dataclass(frozen=True)
class Outcome:
    """A record with the tables beside it.

    Attributes:
        key: hash of the record, by which it is found again.
        started, ended: milliseconds since 1970.
        steps: metrics by step (train) or by trial and by frame (evaluate).
        final: metrics of the whole; numeric facts of the record among them.
        words: the facts that are not numbers.
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
    files: list[Path] = field(default_factory=list)
    frames: tuple[str, Path] | None = None
    """The dataset's name and its prepared frames, where a cell read one."""
    model: str = ""
    """What a training made or a cell walked with."""


def read_outcome(paths: Paths, path: Path) -> Outcome:
    """Read a record and what lies beside it.

    Raises:
        DamagedError: something cannot be read.
    """
    record, key = _read_record(path)
    stage, item = record["stage"], record["item"]
    try:
        steps, final, files = _contents(paths, stage, item)
    except KeyError as error:
        raise DamagedError(f"the tables of {cell(stage, item)}: no column {error}") from None
    params = flat(record["params"])
    numbers, words = _facts(record)
    if stage == "evaluate" and (walk := paths.record("extrapolate", item)).is_file():
        before, _ = _read_record(walk)
        params = {**flat(before["params"]), **params}
        numbers |= {f"extrapolate/{name}": value for name, value in _facts(before)[0].items()}
    started = int(datetime.fromisoformat(record["started"]).timestamp() * 1000)
    return Outcome(
        stage=stage,
        item=item,
        key=key,
        started=started,
        ended=started + int(1000 * record["seconds"]),
        commit=record["commit"].rstrip("+"),
        params=params,
        steps=steps,
        final={**numbers, **final},
        words=words,
        files=[path, *files, *figures_of(paths, stage, item)],
        frames=_frames(paths, item),
        model=item.partition("-")[2] if stage == "train" else params.get("denoiser", params.get("model", "")),
    )


def _frames(paths: Paths, item: str) -> tuple[str, Path] | None:
    dataset = item.partition("-")[0]
    file = paths.prepared(dataset) / "frames.safetensors"
    return (dataset, file) if dataset and file.is_file() else None


def cell(stage: str, item: str) -> str:
    """A run of a stage as DVC calls it, such as train@rotated_mnist-resunet."""
    return f"{stage}@{item}" if item else stage


def _contents(paths: Paths, stage: str, item: str) -> tuple[list[Step], Numbers, list[Path]]:
    """The metrics by step, the final metrics and the files of a cell."""
    dataset, _, name = item.partition("-")
    if stage == "train":
        folder = paths.model(dataset, name)
        rows = _read_csv(folder / "history.csv")
        steps = [(int(row.pop("step")), row) for row in map(_numbers, rows) if "step" in row]
        return steps, {}, _present(folder / "history.csv", folder / "model.json")
    if stage == "evaluate":
        folder = paths.scores(dataset, name)
        by_trial: dict[int, list[Numbers]] = {}
        for score in map(_numbers, _read_csv(folder / "scores.csv")):
            by_trial.setdefault(int(score.pop("trial")), []).append({k: v for k, v in score.items() if k != "video"})
        trials = {trial: _means(rows) for trial, rows in sorted(by_trial.items())}
        steps = [(trial, {f"trial/{name}": value for name, value in means.items()}) for trial, means in trials.items()]
        return (
            steps + _by_frame(folder / "frames.csv"),
            _means(list(trials.values())),
            _present(folder / "scores.csv", folder / "frames.csv"),
        )
    if stage == "table":
        table = paths.reports / "table1.csv"
        final: Numbers = {}
        for row in _read_csv(table) if table.is_file() else []:
            where = "/".join(row[name] for name in ("dataset", "protocol", "method") if row.get(name))
            final |= {f"{where}/{name}": value for name, value in _numbers(row).items()}
        return [], final, _present(table, table.with_suffix(".md"), paths.reports / "metrics.json", paths.costs)
    return [], {}, []


def _by_frame(path: Path) -> list[Step]:
    """Means over trials and videos of every number that a frame has."""
    frames: dict[int, list[Numbers]] = {}
    for row in map(_numbers, _read_csv(path) if path.is_file() else []):
        frames.setdefault(int(row.pop("frame")), []).append(row)
    told = {frame: _means(rows) for frame, rows in sorted(frames.items())}
    return [
        (frame, {f"frame/{name}": value for name, value in means.items() if name not in {"trial", "video"}})
        for frame, means in told.items()
    ]


def figures_of(paths: Paths, stage: str, item: str) -> list[Path]:
    """Figures that show a cell: they name its dataset, and its method unless they name none."""
    drawn = sorted(path for path in paths.figures.rglob("*") if path.suffix in {".png", ".svg", ".pdf"})
    dataset, _, name = item.partition("-")
    if stage == "figures":
        return drawn
    others = {record.stem.partition("-")[2] for record in paths.records.glob(f"*/{dataset}-*.json")} - {name}
    shown = [path for path in drawn if dataset and dataset in path.stem]
    return [path for path in shown if name in path.stem or not any(other in path.stem for other in others)]


def _read_record(path: Path) -> tuple[dict[str, Any], str]:
    """A record, and the hash of its content."""
    try:
        record = json.loads(path.read_bytes())
        for name, kind in RECORD.items():
            if not isinstance(record[name], kind):
                raise ValueError(f"{name} is {record[name]!r}")
        datetime.fromisoformat(record["started"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedError(f"{path}: damaged ({error})") from None
    return record, hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()


def _read_csv(path: Path) -> list[dict[str, str]]:
    try:
        with path.open(newline="") as lines:
            return list(csv.DictReader(lines))
    except (OSError, ValueError, csv.Error) as error:
        raise DamagedError(f"{path}: cannot be read ({error})") from None


def _numbers(row: Mapping[str, str]) -> Numbers:
    """The cells of a row that are finite numbers."""
    numbers: Numbers = {}
    for name, text in row.items():
        try:
            value = float(text)
        except (TypeError, ValueError):
            continue
        if math.isfinite(value):
            numbers[name] = value
    return numbers


def _means(rows: list[Numbers]) -> Numbers:
    names = {name for row in rows for name in row}
    return {name: math.fsum(have) / len(have) for name in names if (have := [row[name] for row in rows if name in row])}


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
    for name, text in flat({name: value for name, value in record.items() if name not in {*words, *NOT_FACTS}}).items():
        try:
            numbers[name] = float(json.loads(text))
        except (ValueError, TypeError):
            words[name] = text
    return numbers, words


def _present(*files: Path) -> list[Path]:
    return [file for file in files if file.is_file()]

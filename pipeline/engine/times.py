"""How long cells take and how much memory, from what was recorded of them or of others of the same kind."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from pipeline.engine.cell import Ending
from pipeline.paths import Paths
from pipeline.storage.artifacts import write_json
from pipeline.tracking.record import read_records

FAR = 5.0
"""How many times longer or shorter a cell may be than the recorded one it is guessed from."""

MULTIPLIES = ("steps", "batch", "frames", "substeps", "draws", "products", "max_products", "samples", "seeds")
"""Settings that multiply the time of a cell; of a list, its length."""


Values = dict[str, list[Any]]


class Named(Protocol):
    """What is asked of a cell here."""

    @property
    def name(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def params(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Took:
    """A run of a cell: its settings, and what it used."""

    kind: str
    params: dict[str, Any]
    seconds: float
    cpu_seconds: float
    peak_memory_mb: float


@dataclass(frozen=True)
class Guess:
    """What a cell will take.

    Attributes:
        source: "record": of the cell itself with these settings; "similar": of another one, or with others, scaled;
            "measured": a few steps of it.
    """

    seconds: float
    memory_mb: float
    source: str


@dataclass
class Times:
    """The runs of cells, as reports/records/cells.json has them, or else the records of the stages."""

    paths: Paths
    took: dict[str, Took] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for record in read_records(self.paths):
            item = record.get("item") or ""
            name = f"{record['stage']}@{item}" if item else record["stage"]
            self.took[name] = Took(
                record["stage"],
                (record.get("trace") or {}).get("settings") or record.get("params") or {},
                record["seconds"],
                float(record.get("cpu_seconds") or record["seconds"]),
                float(record.get("peak_memory_mb") or 0),
            )
        try:
            known = json.loads(self._file.read_text())
            self.took |= {name: Took(**values) for name, values in known.items()}
        except (OSError, ValueError, TypeError, AttributeError):  # records are a help, not a need
            pass

    @property
    def _file(self) -> Any:
        return self.paths.records / "cells.json"

    def note(self, cell: Named, ending: Ending) -> None:
        """Remember what a cell took."""
        used = (ending.seconds, ending.cpu_seconds, ending.peak_memory_mb)
        self.took[cell.name] = Took(cell.kind, cell.params, *used)

    def write(self) -> None:
        """Keep what was noted."""
        write_json(self._file, {name: asdict(took) for name, took in self.took.items()})

    def guess(self, cell: Named) -> Guess | None:
        """What a cell will take; None where nothing has run that is like it in all that is not a number."""
        mine, own = _settings(cell.params), self.took.get(cell.name)
        runs = [(own, _settings(own.params))] if own else []
        for took, theirs in (*runs, *self._of_kind(cell.kind)):
            scale = _scale(mine, theirs)
            if scale is not None and 1 / FAR <= scale <= FAR:
                source = "record" if took is own and _plain(cell.params) == _plain(own.params) else "similar"
                return Guess(took.seconds * scale, took.peak_memory_mb, source)
        return None

    def _of_kind(self, kind: str) -> list[tuple[Took, Values]]:
        return [(took, _settings(took.params)) for took in self.took.values() if took.kind == kind]


def _plain(params: dict[str, Any]) -> str:
    """Settings as a file of records has them."""
    return json.dumps(params, sort_keys=True, default=str)


def work(params: dict[str, Any]) -> float:
    """A number in proportion to the time of a cell, as far as its settings tell."""
    sizes = (_size(value) for name, values in _settings(params).items() if name in MULTIPLIES for value in values)
    return math.prod(size for size in sizes if size)


def _settings(params: dict[str, Any]) -> Values:
    """Settings by their innermost name: all values that stand under it."""
    found: Values = {}
    for name, value in params.items():
        inner = _settings(value) if isinstance(value, dict) else {name.rpartition(".")[2]: [value]}
        for key, values in inner.items():
            found.setdefault(key, []).extend(values)
    return found


def _size(value: Any) -> float:
    if isinstance(value, list):
        return len(value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _scale(mine: Values, other: Values) -> float | None:
    """How many times longer settings take than others, by what both of them name; None if they cannot be compared."""
    scale = 1.0
    for name in mine.keys() & other.keys():
        if mine[name] == other[name]:
            continue
        pair = (*mine[name], *other[name])
        sizes = [_size(value) for value in pair]
        if name in MULTIPLIES and len(pair) == 2 and all(sizes):
            scale *= sizes[0] / sizes[1]
        elif name in MULTIPLIES or any(isinstance(value, str | list) for value in pair):
            return None
    return scale

"""How long cells take and how much memory, from what was recorded of them or of others of the same kind."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from pipeline.engine.cell import Ending
from pipeline.paths import Paths
from pipeline.stages.artifacts import write_json
from pipeline.times import read_times

MULTIPLIES = ("steps", "batch", "frames", "substeps", "draws", "products", "max_products", "samples", "seeds")
"""Settings that multiply the time of a cell; of a list, its length."""


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
        source: "record": of the cell itself; "similar": of another one, scaled; "measured": a few steps of it.
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
        for record in read_times(self.paths):
            item = record.get("item") or ""
            name = f"{record['stage']}@{item}" if item else record["stage"]
            self.took[name] = Took(
                record["stage"],
                record.get("params") or {},
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
        """What a cell will take; None where nothing like it has run."""
        own, mine = self.took.get(cell.name), dict(_leaves(cell.params))
        if own is not None:
            scale = _scale(mine, dict(_leaves(own.params)))
            return Guess(own.seconds * scale, own.peak_memory_mb, "record" if scale == 1 else "similar")
        alike = [(_likeness(mine, leaves), took, leaves) for took, leaves in self._of_kind(cell.kind)]
        if not alike:
            return None
        best = max(likeness for likeness, _, _ in alike)
        nearest = [(took, leaves) for likeness, took, leaves in alike if likeness == best]
        seconds = sorted(took.seconds * _scale(mine, leaves) for took, leaves in nearest)[len(nearest) // 2]
        return Guess(seconds, max(took.peak_memory_mb for took, _ in nearest), "similar")

    def _of_kind(self, kind: str) -> Iterator[tuple[Took, dict[str, Any]]]:
        for took in self.took.values():
            if took.kind == kind:
                yield took, dict(_leaves(took.params))


def work(params: dict[str, Any]) -> float:
    """A number in proportion to the time of a cell, as far as its settings tell."""
    return math.prod(size for key, value in _leaves(params) if (size := _size(key, value)))


def _leaves(values: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Settings by their innermost name."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value)
        else:
            yield name.rpartition(".")[2], value


def _size(name: str, value: Any) -> float:
    if name not in MULTIPLIES:
        return 0
    if isinstance(value, list):
        return len(value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0


def _scale(mine: dict[str, Any], other: dict[str, Any]) -> float:
    """How many times longer settings take than others, by what both of them name."""
    pairs = ((_size(name, mine[name]), _size(name, other[name])) for name in mine.keys() & other.keys())
    return math.prod(own / its for own, its in pairs if own and its)


def _likeness(mine: dict[str, Any], other: dict[str, Any]) -> int:
    """How many settings are the same, words counting most: the name of an algorithm, of a network."""
    same = [name for name in mine.keys() & other.keys() if mine[name] == other[name]]
    return sum(100 if isinstance(mine[name], str) else 1 for name in same)

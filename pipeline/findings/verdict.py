"""Whether a claim holds: its statistic, with a bootstrap interval, against its bound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from pipeline.errors import UserError
from pipeline.findings.base import Bound, Claim, NotRun, Tables

if TYPE_CHECKING:
    import pandas as pd

RESAMPLES = 200
LEVEL = 0.95
Word = Literal["holds", "fails", "undecided", "not run"]


@dataclass(frozen=True)
class Verdict:
    """What became of a claim.

    Attributes:
        value: the statistic; NaN if it was not run.
        low, high: its 95 % interval.
        commands: what makes the rows that it was read from.
        reason: why it was not run; "" if it was.
    """

    claim: Claim
    word: Word
    value: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    commands: tuple[str, ...] = ()
    reason: str = ""


def verdict(claim: Claim, tables: Tables) -> Verdict:
    """Compute the statistic, and again on units drawn with replacement, as many of each dataset as it has.

    A unit drawn twice counts as two units. All tables see the same draw, so what is paired stays so. The interval is
    that of percentiles, with a fixed seed.

    Raises:
        UserError: the tables are not such as their analyses write them.
    """
    asked = Tables(tables.all, tables.commands)
    try:
        value = float(claim.statistic(asked))
        if np.isnan(value):
            raise NotRun("its numbers are missing")
        units = _Units(claim, asked)
        again = np.array([_value(claim, _Drawn(units, drawn)) for drawn in units.draws()])
    except NotRun as error:
        return Verdict(claim, "not run", commands=_commands(asked), reason=str(error))
    except (KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        files = ", ".join(dict.fromkeys(f"{table}.csv" for table, _ in asked.read))
        fix = "; ".join(_commands(asked))
        raise UserError(f"claim {claim.id}: {files}: damaged ({error}); make it again with: {fix}") from None
    known = again[~np.isnan(again)]
    low, high = np.quantile(known, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) if len(known) else (value, value)
    return Verdict(
        claim, judged(claim.bound, float(low), float(high)), value, float(low), float(high), _commands(asked)
    )


def judged(bound: Bound, low: float, high: float) -> Word:
    """The word for an interval: it lies in the bound, outside, or across an end."""
    if bound.low <= low and high <= bound.high:
        return "holds"
    return "fails" if high < bound.low or low > bound.high else "undecided"


class _Units:
    """The units of the tables that a claim reads, by number: those of a dataset follow one another."""

    def __init__(self, claim: Claim, asked: Tables) -> None:
        import pandas as pd

        self.tables, self.keys = asked, ["dataset", claim.unit]
        tables = [asked.all[name] for name in dict.fromkeys(table for table, _ in asked.read)]
        having = [table[self.keys] for table in tables if claim.unit in table]
        if not having:
            raise ValueError(f"no column {claim.unit}")
        units = pd.concat(having).drop_duplicates().sort_values(self.keys, ignore_index=True)
        units = units[units["dataset"].isin([dataset for _, dataset in asked.read])].reset_index(drop=True)
        self.numbers, self.counts = units.assign(number=units.index), units.groupby("dataset").size()
        self._found: dict[str, tuple[pd.DataFrame, np.ndarray, np.ndarray]] = {}

    def draws(self) -> Iterator[np.ndarray]:
        """Numbers of units, with replacement, as many of each dataset as it has."""
        rng, ends = np.random.default_rng(0), self.counts.cumsum()
        spans = [(end - count, end) for end, count in zip(ends, self.counts, strict=True)]
        for _ in range(RESAMPLES):
            yield np.concatenate([rng.integers(*span, size=span[1] - span[0]) for span in spans])

    def sorted_rows(self, table: str, where: dict[str, object]) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
        """Rows in the order of their units; the first row of each unit, and how many it has."""
        key = f"{table} {where}"
        if key not in self._found:
            found = self.tables.rows(table, **where)
            found = found.merge(self.numbers, on=self.keys).sort_values("number", kind="stable", ignore_index=True)
            numbers = found.pop("number").to_numpy()
            first, after = (np.searchsorted(numbers, np.arange(len(self.numbers)), side) for side in ("left", "right"))
            self._found[key] = found, first, after - first
        return self._found[key]


class _Drawn(Tables):
    """The same tables with other units."""

    def __init__(self, units: _Units, drawn: np.ndarray) -> None:
        super().__init__(units.tables.all)
        self._units, self._drawn = units, drawn

    def rows(self, table: str, **where: object) -> pd.DataFrame:
        """Rows of the units drawn, under new names."""
        unit = self._units.keys[1]
        if unit not in self.all.get(table, ()):
            return super().rows(table, **where)
        found, first, counts = self._units.sorted_rows(table, where)
        many = counts[self._drawn]
        if not many.sum():
            raise NotRun("none of its units was drawn")
        places = np.repeat(first[self._drawn] - (many.cumsum() - many), many) + np.arange(many.sum())
        return found.take(places).assign(**{unit: np.repeat(np.arange(len(many)), many)}).reset_index(drop=True)


def _value(claim: Claim, tables: Tables) -> float:
    try:
        return float(claim.statistic(tables))
    except NotRun:
        return float("nan")


def _commands(tables: Tables) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tables.commands[key] for key in tables.read if key in tables.commands))

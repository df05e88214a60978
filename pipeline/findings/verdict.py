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

RESAMPLES = 300
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
        again = np.array([_value(claim, drawn) for drawn in _resampled(claim, asked)])
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


class _Drawn(Tables):
    """The same tables with other units."""

    def __init__(self, tables: Tables, unit: str, drawn: pd.DataFrame) -> None:
        super().__init__(tables.all, tables.commands)
        self._unit, self._drawn = unit, drawn

    def rows(self, table: str, **where: object) -> pd.DataFrame:
        """Rows of the units drawn, under new names."""
        found = super().rows(table, **where)
        if self._unit not in found:
            return found
        keys = ["dataset", self._unit]
        merged = self._drawn.merge(found, on=keys)
        if not len(merged):
            raise NotRun("none of its units was drawn")
        return merged.drop(columns=self._unit).rename(columns={"drawn": self._unit})[list(found.columns)]


def _resampled(claim: Claim, asked: Tables) -> Iterator[Tables]:
    import pandas as pd

    tables = [asked.all[name] for name in dict.fromkeys(table for table, _ in asked.read)]
    having = [table[["dataset", claim.unit]] for table in tables if claim.unit in table]
    if not having:
        raise ValueError(f"no column {claim.unit}")
    datasets = {dataset for _, dataset in asked.read}
    units = pd.concat(having).drop_duplicates().sort_values(["dataset", claim.unit])
    known = [part for dataset, part in units.groupby("dataset") if dataset in datasets]
    rng = np.random.default_rng(0)
    for _ in range(RESAMPLES):
        drawn = pd.concat([part.iloc[rng.integers(len(part), size=len(part))] for part in known])
        yield _Drawn(asked, claim.unit, drawn.assign(drawn=range(len(drawn))))


def _value(claim: Claim, tables: Tables) -> float:
    try:
        return float(claim.statistic(tables))
    except NotRun:
        return float("nan")


def _commands(tables: Tables) -> tuple[str, ...]:
    return tuple(dict.fromkeys(tables.commands[key] for key in tables.read if key in tables.commands))

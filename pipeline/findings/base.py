"""What a claim is: a sentence of the literature, the tables it is read from, and the bound that decides.

The claims about one capability are one file of this folder, with a tuple `CLAIMS`. A claim's bound is fixed before its
analysis runs; a later change is a commit that says so.
"""

from __future__ import annotations

import math
import pkgutil
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

PACKAGE = __name__.rpartition(".")[0]


class NotRun(Exception):  # noqa: N818 - a legal outcome
    """What a claim needs was not analysed; the message says what is missing."""


@dataclass(frozen=True)
class Bound:
    """Where a statistic must lie for its claim to hold, both ends included.

    Example:
        >>> from pipeline.findings.base import Bound
        >>> print(Bound(low=0.1), Bound(high=5), Bound(0.8, 1.25), sep="; ")
        at least 0.1; at most 5; 0.8 to 1.25
    """

    low: float = -math.inf
    high: float = math.inf

    def __str__(self) -> str:
        if self.high == math.inf:
            return f"at least {self.low:g}"
        return f"at most {self.high:g}" if self.low == -math.inf else f"{self.low:g} to {self.high:g}"


class Tables:
    """What analyses found: tables by name, each with the rows of all datasets and a leading column `dataset`.

    Args:
        tables: by name.
        commands: what makes the rows of a table on a dataset, by both names.

    Attributes:
        read: the (table, dataset) of all rows that were asked for.
    """

    def __init__(
        self, tables: Mapping[str, pd.DataFrame], commands: Mapping[tuple[str, str], str] | None = None
    ) -> None:
        self.all, self.commands = tables, commands or {}
        self.read: dict[tuple[str, str], None] = {}

    def rows(self, table: str, **where: object) -> pd.DataFrame:
        """The rows of a table that have some values.

        Args:
            where: by column a value, or a list of those that will do.

        Raises:
            NotRun: no such table, column or row.

        Example:
            >>> import pandas as pd
            >>> from pipeline.findings.base import Tables
            >>> card = pd.DataFrame({"dataset": "digits", "denoiser": ["unet", "wiener"], "psnr": [25.3, 22.4]})
            >>> Tables({"card": card}).rows("card", denoiser="wiener")["psnr"].tolist()
            [22.4]
        """
        if table not in self.all:
            raise NotRun(f"no analysis has written {table}.csv")
        found = self.all[table]
        wanted = {column: value if isinstance(value, list | tuple) else [value] for column, value in where.items()}
        for column, values in wanted.items():
            if column not in found:
                raise NotRun(f"{table}.csv has no column {column}")
            found = found[found[column].isin(values)]
        if not len(found):
            told = ", ".join(f"{column} {' or '.join(map(str, values))}" for column, values in wanted.items())
            raise NotRun(f"{table}.csv has no row of {told}")
        self.read |= dict.fromkeys((table, str(dataset)) for dataset in found["dataset"].unique())
        return found


@dataclass(frozen=True)
class Claim:
    """A sentence that holds or fails.

    Attributes:
        id: number of the claim, such as "14.4".
        source: paper, and place in it.
        claim: the sentence.
        bound: where the statistic must lie.
        statistic: a pure and quick function of the tables; it may raise NotRun.
        unit: the column whose values are resampled for the interval.
    """

    id: str
    source: str
    claim: str
    bound: Bound
    statistic: Callable[[Tables], float]
    unit: str = "image"

    @property
    def place(self) -> tuple[int, int, str]:
        """Its place among others: 14.4 comes before 14.10."""
        found = re.fullmatch(r"(\d+)\.(\d+)(\w*)", self.id)
        assert found is not None
        return int(found[1]), int(found[2]), found[3]


def claim_files() -> list[str]:
    """The modules of this folder, without importing them."""
    return [f"{PACKAGE}.{module.name}" for module in pkgutil.iter_modules([str(Path(__file__).parent)])]


def all_claims() -> dict[str, tuple[Claim, ...]]:
    """All claims, by the capability that they are about: the name of their file."""
    found = {name.rpartition(".")[2]: getattr(import_module(name), "CLAIMS", ()) for name in claim_files()}
    known = {name: tuple(sorted(claims, key=lambda claim: claim.place)) for name, claims in found.items() if claims}
    return dict(sorted(known.items(), key=lambda item: item[1][0].place))

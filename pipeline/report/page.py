"""The report as one HTML page that needs no other file and no network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from pipeline.figures.style import readable
from pipeline.report.sprites import COLUMNS


@dataclass(frozen=True)
class Picture:
    """A figure with its words.

    Attributes:
        address: a `data:` address.
        alt: description for readers who cannot see the picture.
        caption: what to look for.
        moving: whether it moves; it is hidden until asked for.
    """

    name: str
    address: str
    alt: str
    caption: str
    moving: bool = False


@dataclass(frozen=True)
class Row:
    """A method on a dataset as in Table 1: texts, ready to print.

    Attributes:
        cells: by column; empty if the method was not run.
        not_run: why it was not; "" if it was.
        aside: the extra knowledge that puts it out of competition; "" if none.
        best: whether no method in competition is better.
    """

    method: str
    cells: Mapping[str, str]
    not_run: str = ""
    aside: str = ""
    best: bool = False


@dataclass(frozen=True)
class Difference:
    """A method's paired difference from its best rival, as texts."""

    method: str
    rival: str
    mean: str
    interval: str
    verdict: str


@dataclass(frozen=True)
class Detail:
    """The videos of a dataset, to browse through.

    Attributes:
        rows: of the sprites: the truth first, then the methods.
        sprites: one per video.
        scores: DTW-SSID as text by video and method, in the order of `rows` without the truth.
        width, height: of a frame, in pixels.
        names: of the videos, as the reader chooses them.
    """

    rows: Sequence[str]
    sprites: Sequence[str]
    scores: Sequence[Sequence[str]]
    width: int
    height: int
    names: Sequence[str] = ()

    @property
    def data(self) -> dict[str, Any]:
        """What the page's script reads."""
        return {"sprites": self.sprites, "scores": self.scores, "columns": COLUMNS, "rows": len(self.rows)}


@dataclass(frozen=True)
class Section:
    """One dataset on the page.

    Attributes:
        note: where its rows come from, if they were not computed here.
    """

    name: str
    rows: Sequence[Row]
    differences: Sequence[Difference]
    pictures: Sequence[Picture]
    detail: Detail | None
    note: str = ""


@dataclass(frozen=True)
class Judged:
    """A claim with its verdict, as texts."""

    id: str
    claim: str
    source: str
    value: str
    interval: str
    bound: str
    verdict: str


@dataclass(frozen=True)
class Card:
    """The report cards of a dataset's denoisers: rows of (name, cells), and why cells are empty."""

    dataset: str
    columns: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Report:
    """All that the page shows.

    Attributes:
        claims, cards: what the denoisers know.
        columns: headings of Table 1 after the method's.
        settings: params.yaml as text, by section.
        provenance: facts by name.
        times: rows of (stage, item, seconds, machine).
        absent: (what, why) for everything that was not run.
    """

    profile: str
    sections: Sequence[Section]
    pictures: Sequence[Picture]
    columns: Sequence[str]
    settings: Mapping[str, str]
    provenance: Mapping[str, str]
    times: Sequence[Sequence[str]] = field(default_factory=list)
    absent: Sequence[tuple[str, str]] = field(default_factory=list)
    claims: Sequence[Judged] = ()
    cards: Sequence[Card] = ()


def render(report: Report) -> str:
    """The page; every text in it is escaped."""
    environment = Environment(
        loader=PackageLoader("pipeline.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["readable"] = readable
    return environment.get_template("page.html.j2").render(report=report)

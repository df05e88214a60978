"""The order of frames and of clips, from the numbers in their names: what could be two orders is refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np

from pipeline.errors import UserError

_CLOCK = r"(?<!\d)(?P<h>[01]\d|2[0-3])[-_.:h](?P<m>[0-5]\d)[-_.:m](?P<s>[0-5]\d(?:\.\d+(?![.\d]))?)(?!\d)"
_DATE = r"(?<!\d)(?P<year>[1-9]\d{3})[-_.](?P<month>0[1-9]|1[0-2])[-_.](?P<day>[0-2]\d|3[01])(?!\d)"
_DECIMAL = (
    r"(?<![\d.,])\d+[.,]\d+(?:e[+-]?\d+)?(?![.,]?\d)|"  # 0.05, as some write 0,05
    r"(?<![a-z\d.])\.\d+(?!\.?\d)|"  # .05, but no dot after a letter
    r"(?<![\d.])\d+e[+-]\d+(?!\d)"
)
_NUMBER = re.compile(rf"{_DATE}|{_CLOCK}|(?P<decimal>{_DECIMAL})|(?P<integer>\d+)", re.ASCII)
_HINT = "give each series a folder of its own, with numbers of one form"


@dataclass(frozen=True)
class Name:
    """A name, taken apart.

    Attributes:
        texts: what is before, between and after the numbers, without regard to case.
        numbers: without signs, but where `signs` is "-" and that is surely one.
        signs: for each number "-", "+" or "": the sign before it, which may be a hyphen.
    """

    texts: tuple[str, ...]
    numbers: tuple[Fraction, ...]
    signs: tuple[str, ...]


def in_order(files: Sequence[Path]) -> list[Path]:
    """Pictures as a clip, in the order of the number that changes in their names: 2 before 10, -5 before 3, 0.05 < 0.1.

    Raises:
        UserError: their names are of several series, have no number, the same one, or more than one that counts.
    """
    if len(files) < 2:
        return list(files)
    names = [taken_apart(file.stem) for file in files]
    for file, name in zip(files, names, strict=True):
        if name.texts != names[0].texts:
            raise _refused(files[0], file, "are not of one series")
    numbers = np.array([_signed(name, names) for name in names], object)
    varying = [column for column in range(numbers.shape[1]) if len(set(numbers[:, column])) > 1]
    keys = [tuple(row[column] for column in varying) for row in numbers]
    order = sorted(range(len(files)), key=lambda index: (keys[index], files[index].name))
    for one, other in pairwise(order):
        if keys[one] == keys[other]:
            raise _refused(files[one], files[other], "have the same number" if numbers.size else "have no number")
        if any(keys[other][place] < keys[one][place] for place in range(1, len(varying))):
            raise _refused(files[one], files[other], "count in two numbers, as frames of several objects would")
    return [files[index] for index in order]


def gap(files: Sequence[Path]) -> str:
    """The first place where frames in order leave out numbers, in words; "" if there is none."""
    names = [taken_apart(file.stem) for file in files]
    if len(files) < 3:
        return ""
    numbers = np.array([_signed(name, names) for name in names], object)
    for column in range(numbers.shape[1]):
        steps = [after - before for before, after in pairwise(numbers[:, column])]
        usual = sorted(steps)[(len(steps) - 1) // 2]
        wide = [place for place, step in enumerate(steps) if usual > 0 and step > Fraction(3, 2) * usual]
        if wide:
            more = f", and {len(wide) - 1} more gaps" if len(wide) > 1 else ""
            return f"{files[wide[0]].name} is followed by {files[wide[0] + 1].name}{more}"
    return ""


def natural(name: str) -> list[tuple[int, int, str]]:
    """A key to sort clips by: clip2 before clip10, whatever the case."""
    parts = re.split(r"(\d+)", unicodedata.normalize("NFC", name).casefold(), flags=re.ASCII)
    return [(1, int(part), part) if part.isdecimal() and part.isascii() else (0, 0, part) for part in parts]


def taken_apart(stem: str) -> Name:
    """The texts and numbers of a name. Dates and times of day are one number each."""
    stem = unicodedata.normalize("NFC", stem).replace("\N{MINUS SIGN}", "-").casefold()
    texts: list[str] = []
    numbers: list[Fraction] = []
    signs: list[str] = []
    end = 0
    for found in _NUMBER.finditer(stem):
        before, sign = stem[end : found.start()], ""
        if before.endswith(("-", "+")) and not (len(before) == 1 and numbers):  # after a digit it is a hyphen
            before, sign = before[:-1], before[-1]
        texts.append(before)
        numbers.append(_value(found))
        signs.append(sign)
        end = found.end()
    return Name((*texts, stem[end:]), tuple(numbers), tuple(signs))


def _value(found: re.Match[str]) -> Fraction:
    if found["year"]:
        first = date(int(found["year"]), int(found["month"]), 1).toordinal()
        return Fraction(first + int(found["day"]))
    if found["h"]:
        return Fraction(found["h"]) * 3600 + Fraction(found["m"]) * 60 + Fraction(found["s"])
    return Fraction((found["decimal"] or found["integer"]).replace(",", "."))


def _signed(name: Name, names: Sequence[Name]) -> tuple[Fraction, ...]:
    """The numbers with their signs. A hyphen that all names have after a letter is none."""

    def is_sign(place: int) -> bool:
        everywhere = all(other.signs[place] == "-" for other in names)
        return name.signs[place] == "-" and not (everywhere and name.texts[place][-1:].isalnum())

    return tuple(-number if is_sign(place) else number for place, number in enumerate(name.numbers))


def _refused(one: Path, other: Path, why: str) -> UserError:
    return UserError(f"{one.parent}: {one.name} and {other.name} {why}, so their order is not clear; {_HINT}")

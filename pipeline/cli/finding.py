"""One line of `manex doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One thing looked at; a `problem` keeps the pipeline from running, a `note` does not."""

    state: Literal["ok", "note", "problem"]
    what: str
    found: str
    fix: str = ""

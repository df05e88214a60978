"""How a task ends, wherever it was worked on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

TRIES = 3
"""How often a task is tried whose worker dies."""


@dataclass(frozen=True)
class Done:
    """A task that has ended: its answer, or why there is none."""

    key: str
    answer: Any
    lost: str = ""


def lost(reason: str) -> str:
    """What to say of a task whose workers have died once too often."""
    return f"{reason}, {TRIES} times, perhaps for want of memory: try with fewer at once (MANEX_WORKERS)"

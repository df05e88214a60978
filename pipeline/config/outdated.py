"""What a params.yaml of an earlier version lacks, with the line to add."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def outdated(values: Any) -> Iterator[str]:
    """One line per key that came with version 0.2 and is missing."""
    if not isinstance(values, dict) or "profile" not in values:
        return
    profile = str(values["profile"])[:60]
    home = "reports" if profile == "cpu" else f"reports/{profile}"
    if "reports" not in values:
        yield f'reports: missing; since version 0.2 each profile has a folder of its own: add "reports: {home}"'
    if "analyses" not in values:
        yield 'analyses: missing; since version 0.2 `spectrum` and `denoisers` are analyses: add "analyses: []"'

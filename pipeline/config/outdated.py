"""What a params.yaml of version 0.1 lacks, each key with the line to add."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def outdated(values: Any) -> Iterator[str]:
    """One line per key that came with version 0.2 and is missing."""
    if not isinstance(values, dict) or "profile" not in values or "extrapolate" not in values:
        return
    profile = str(values["profile"])[:60]
    home = "reports" if profile == "cpu" else f"reports/{profile}"
    new = {
        "reports": f'each profile has a folder of its own: add "reports: {home}"',
        "analyses": "the stages `spectrum` and `denoisers` are analyses now: "
        'add "analyses: [geometry, spectrum]", or "analyses: []" for none',
        "analyse": "each dataset names the walks that are analysed: "
        'add a section "analyse" as in profiles/cpu.yaml, or "analyse: {}" where `analyses` is empty',
    }
    yield from (f"{key}: missing since version 0.2; {what}" for key, what in new.items() if key not in values)

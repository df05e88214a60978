"""`manex reproduce`, in words."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pipeline.engine.reproduce import reproduce
from pipeline.paths import Paths
from pipeline.settings import settings


def run(paths: Paths, targets: Sequence[str]) -> bool:
    """Reproduce, say what became of it, and make the MLflow runs; false if a cell failed.

    Raises:
        UserError: as `reproduce` does.
    """
    result = reproduce(paths.root.resolve(), targets)
    if result.run and settings().tracking == "on":
        from pipeline import runs

        runs.sync(paths)
    for name, why in result.failed.items():
        waiting = [other for other, cause in result.skipped.items() if cause == name]
        behind = f"; not run for that: {', '.join(waiting[:3])}{', ...' * (len(waiting) > 3)}" if waiting else ""
        sys.stderr.write(f"manex: failed: {name}: {why}{behind}\n")
    sys.stdout.write(f"{result}\n")
    return not result.failed

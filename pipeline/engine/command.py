"""`manex reproduce`, in words: the cells, the MLflow runs, the page."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pipeline.config.params import load
from pipeline.engine.reproduce import reproduce
from pipeline.paths import Paths
from pipeline.settings import settings

TABLE = "table"
"""The stage without which there is no page."""


def run(paths: Paths, targets: Sequence[str]) -> bool:
    """Reproduce, say what became of it, make the MLflow runs and the page; false if a cell failed.

    Raises:
        UserError: as `reproduce` does.
    """
    result = reproduce(paths.root.resolve(), targets)
    if result.run and settings().tracking == "on":
        from pipeline.tracking import sync

        sync.sync(paths)
    for name, why in result.failed.items():
        waiting = [other for other, cause in result.skipped.items() if cause == name]
        behind = f"; not run for that: {', '.join(waiting[:3])}{', ...' * (len(waiting) > 3)}" if waiting else ""
        sys.stderr.write(f"manex: failed: {name}: {why}{behind}\n")
    sys.stdout.write(f"{result}\n")
    if not result.failed and not targets and TABLE in {*result.run, *result.restored, *result.unchanged}:
        _show(Paths(paths.root, load(paths.params).reports), bool(result.run))
    return not result.failed


def _show(paths: Paths, is_new: bool) -> None:
    """Write the page if anything is new, and say where the results are."""
    if is_new or not paths.page.is_file():
        from pipeline.stages.report import report

        report(load(paths.params), paths)
    for name in ("table1.md", "index.html", "figures"):
        sys.stdout.write(f"  {paths.reports / name}\n")

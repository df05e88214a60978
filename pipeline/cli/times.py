"""How long each stage took, from the records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipeline.paths import Paths
from pipeline.progress import clock
from pipeline.tracking.record import find_records, left_out

if TYPE_CHECKING:
    from rich.table import Table


def times_table(paths: Paths) -> Table:
    """Seconds of wall clock and CPU, and the highest memory use, per stage and item, with a sum per stage.

    Only of the runs that made what is here now; the caption names the others. They are written to costs.csv as well.
    """
    import pandas as pd
    from rich.table import Table

    from pipeline.storage.artifacts import write_csv

    table = Table(
        "stage",
        "item",
        title="Time by stage (latest run of each)",
        box=None,
        title_justify="left",
        caption_justify="left",
    )
    for column in ("seconds", "CPU seconds", "peak MB"):
        table.add_column(column, justify="right")
    found = [one for one in find_records(paths) if one.record]
    records = [one.record for one in found if not one.differs]
    for stage in dict.fromkeys(record["stage"] for record in records):
        mine = [record for record in records if record["stage"] == stage]
        for record in mine:
            table.add_row(stage, record.get("item", ""), *(_number(record, key) for key in MEASURES))
        if len(mine) > 1:
            table.add_row(stage, "all", f"{sum(record['seconds'] for record in mine):.1f}", style="bold")
    total = sum(record["seconds"] for record in records)
    table.caption = f"{len(records)} runs, {clock(total)} in all" if records else "nothing has run yet: dvc repro"
    if records:
        write_csv(paths.costs, pd.DataFrame([{key: one.get(key) for key in COSTS} for one in records]))
        table.caption += f"\nwith seconds per frame in {paths.costs.relative_to(paths.root)}"
    if others := left_out(found):
        table.caption += f"\nleft out, of other settings, data or results than those here now: {others}"
    return table


MEASURES = ("seconds", "cpu_seconds", "peak_memory_mb")
COSTS = ("stage", "item", *MEASURES, "seconds_per_frame", "threads", "machine")


def _number(record: dict[str, Any], key: str) -> str:
    value = record.get(key)
    return f"{value:.1f}" if isinstance(value, int | float) else ""

"""What an earlier run found on datasets that cannot be made here: they keep it, if their settings are the same."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.config.params import Params
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.storage.artifacts import read_csv, read_json
from pipeline.storage.rows import rows_of
from pipeline.storage.skipped import absence

Row = dict[str, Any]


@dataclass(frozen=True)
class Earlier:
    """Rows that were computed elsewhere.

    Attributes:
        metrics: metrics.json of the earlier run.
        tables: rows of table1 and denoisers, by table and dataset; no dataset but those that keep their rows.
    """

    metrics: dict[str, Any]
    tables: dict[str, dict[str, list[Row]]]

    @classmethod
    def of(cls, params: Params, paths: Paths) -> Earlier:
        """The results in the folder of the profile, of datasets whose data are absent here."""
        gone = {name: reason for name in params.datasets if (reason := absence(paths.prepared(name)))}
        if not gone or not (paths.reports / "metrics.json").is_file():
            return cls({}, {})
        try:
            metrics = read_json(paths.reports / "metrics.json", "dvc repro", ("settings", "training", "notes"))
            known = [name for name in gone if name in metrics and name in metrics["training"]]
            known = [name for name in known if metrics["settings"].get(name) == settings_hash(name, params)]
            tables = {
                name: {dataset: _rows(paths.reports / f"{name}.csv", dataset) for dataset in known}
                for name in ("table1", "denoisers")
            }
        except UserError as error:
            sys.stderr.write(f"manex: table: earlier rows cannot be kept: {error}\n")
            return cls({}, {})
        scored = {name for name in known if any(row["not_run"] is None for row in tables["table1"][name])}
        for name in sorted(scored):
            sys.stderr.write(f"manex: table: {name}: the rows of an earlier run are kept: {gone[name]}\n")
        kept = {table: {name: rows[name] for name in scored} for table, rows in tables.items()}
        return cls(metrics, kept)

    def __contains__(self, dataset: str) -> bool:
        return dataset in self.tables.get("table1", {})


def settings_hash(dataset: str, params: Params) -> str:
    """Hash of everything that params.yaml says about a dataset."""
    sections = (params.data, params.train, params.extrapolate, params.analyse)
    values: list[Any] = [section.get(dataset) for section in sections]
    values += [params.models, params.methods, params.analyses, params.trials.model_dump()]
    values += [] if params.ssim_window == "uniform" else [params.ssim_window]
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _rows(file: Path, dataset: str) -> list[Row]:
    table = read_csv(file, "dvc repro", text=("dataset", "not_run"))
    return rows_of(table[table["dataset"] == dataset])

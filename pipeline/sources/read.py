"""Raw data as dataset kinds take them: each source is read by the file of its name here."""

from __future__ import annotations

from typing import Any

from manex.datasets.base import DatasetSettings
from pipeline.config.entries import named
from pipeline.paths import Paths


def read_raw(cfg: DatasetSettings, paths: Paths) -> Any:
    """What the source of a dataset holds; None for a dataset that is drawn.

    Raises:
        UserError: not fetched, damaged, or not what `cfg` asks for; ValueError: a setting does not fit, by its name.
    """
    return named(f"pipeline.sources.{cfg.source}:read")(cfg, paths) if cfg.source else None

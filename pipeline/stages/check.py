"""check: params.yaml fits, before any name in it reaches a shell line.

DVC fills the names of datasets, models and methods into the `cmd` of dvc.yaml as they stand in params.yaml, and a shell
runs that. Every other stage depends on what this one writes, which is always the same.
"""

from __future__ import annotations

from pipeline.config.params import Params
from pipeline.paths import Paths
from pipeline.stages.artifacts import write_text


def check(params: Params, paths: Paths) -> None:
    """Write data/checked. That there are `params` says it all: their names are plain words, or they were refused."""
    assert params.datasets
    write_text(paths.checked, "params.yaml fits\n")

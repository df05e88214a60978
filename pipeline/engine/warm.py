"""What cells import, imported once: every process that runs a cell is forked from one that has imported this.

Nothing may compute here: a fork keeps memory but not the threads that a computation starts.
"""

from __future__ import annotations

import importlib
import pkgutil

from pipeline.engine.code import code_version

IMPORTED = code_version()
"""The version of the code that is imported below. A cell that finds another one on disk starts a fresh interpreter."""

LATE = ("typer", "torch._inductor.config", "torch._dynamo")
"""What no stage imports at its top. Torch needs the last two for deterministic kernels: more than a second."""

PACKAGES = (
    *("pipeline.stages", "pipeline.config", "pipeline.sources", "pipeline.models"),
    *("manex.datasets", "manex.training", "manex.extrapolators", "manex.analyses", "manex.denoisers"),
)
"""What cells find by the names in settings."""

for name in (*LATE, *PACKAGES):
    try:
        package = importlib.import_module(name)
        for module in pkgutil.iter_modules(package.__path__ if name in PACKAGES else (), f"{name}."):
            importlib.import_module(module.name)
    except ImportError:  # the cell that needs it fails with its own message
        continue

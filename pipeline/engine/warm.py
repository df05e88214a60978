"""What cells import, imported once: every process that runs a cell is forked from one that has imported this.

Nothing may compute here: a fork keeps memory but not the threads that a computation starts.
"""

from __future__ import annotations

import importlib
import pkgutil

from pipeline import stages
from pipeline.engine.code import code_version

IMPORTED = code_version()
"""The version of the code that is imported below. A cell that finds another one on disk starts a fresh interpreter."""

LATE = ("typer", "torch._inductor.config", "torch._dynamo")
"""What no stage imports at its top. Torch needs the last two for deterministic kernels: more than a second."""

for name in (*LATE, *(module.name for module in pkgutil.iter_modules(stages.__path__, f"{stages.__name__}."))):
    try:
        importlib.import_module(name)
    except ImportError:  # the cell that needs it fails with its own message
        continue

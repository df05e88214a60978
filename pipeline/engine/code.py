"""Which code this is: what processes that work on the same cells must have in common."""

from __future__ import annotations

import hashlib
import os
import platform
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import manex
import pipeline

LIBRARIES = ("torch", "numpy", "scipy", "scikit-image", "pandas")
PACKAGE = Path(pipeline.__file__).parent
"""The workflow; its name is what `python -m` is given."""
PACKAGES = (PACKAGE, Path(manex.__file__).parent)
"""All code of this project."""


def code_version() -> str:
    """Hash of the project's source files as they are on disk now."""
    files = sorted(path for package in PACKAGES for path in package.rglob("*.py"))
    return _hash(tuple((path, (found := path.stat()).st_mtime_ns, found.st_size) for path in files))


@lru_cache(maxsize=1)
def _hash(files: tuple[tuple[Path, int, int], ...]) -> str:
    whole = hashlib.sha256()
    for path, _, _ in files:
        whole.update(f"{path.parent.name}/{path.name}\n".encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:16]


def versions() -> dict[str, str]:
    """Of Python, of this project's code and of the libraries that decide what a cell computes."""
    python = platform.python_version()
    return {"Python": python, "manex": code_version(), **{name: version(name) for name in LIBRARIES}}


def difference(root: Path, token: str, expected: dict[str, str]) -> str:
    """How this process differs from one with the versions `expected`; "" where it can do that one's cells.

    Args:
        root: the project's folder.
        token: name of a file that the other process has just made in it.
    """
    if not (root / token).exists():
        return f"{platform.node()} does not see {root} (process {os.getpid()}): start workers that share the folder"
    mine = versions()
    other = [f"{name} {mine[name]}, here {expected[name]}" for name in expected if mine.get(name) != expected[name]]
    return f"the worker on {platform.node()} has {'; '.join(other)}: start it again" if other else ""

"""What an artifact was made from, by hash: a stage refuses an artifact made from others than those that are here.

The hashes are in the artifact's seal. DVC runs again what is out of date; a stage that is called by hand does not know.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.storage.artifacts import ORIGINS, SEAL

Origins = Mapping[str, str]
"""The hash of each folder's seal, by the folder's path below the root."""


def origins(paths: Paths, *folders: Path) -> Origins:
    """The folders as they are now; those that are not sealed, as in earlier versions, are left out."""
    found = {folder.relative_to(paths.root).as_posix(): _stamp(folder) for folder in folders}
    return {name: stamp for name, stamp in found.items() if stamp}


def check_origins(paths: Paths, folder: Path) -> None:
    """Check an artifact, and first all that it was made from.

    Raises:
        UserError: one of them was made from others than those that are here; the message has the command to fix it.
    """
    _check(paths, folder, set())


def _check(paths: Paths, folder: Path, seen: set[Path]) -> None:
    if folder in seen:
        return
    seen.add(folder)
    for name, stamp in _noted(folder).items():
        source = paths.root / name
        _check(paths, source, seen)
        now = _stamp(source)
        if now and now != stamp:
            raise UserError(
                f"{folder}: made from another {name} than is here; make it again with: {_command(paths, folder)}"
            )


def _noted(folder: Path) -> Origins:
    try:
        noted = json.loads((folder / SEAL).read_text()).get(ORIGINS, {})
        return {str(name): str(stamp) for name, stamp in noted.items()}
    except (OSError, ValueError, AttributeError):  # not there, or damaged: readers of its files say so
        return {}


def _stamp(folder: Path) -> str:
    seal = folder / SEAL
    return hashlib.sha256(seal.read_bytes()).hexdigest() if seal.is_file() else ""


def _command(paths: Paths, folder: Path) -> str:
    stages = {"prepared": "prepare", "models": "train", "extrapolated": "extrapolate", "scores": "evaluate"}
    parts = [part for part in folder.relative_to(paths.root).parts if part != "data"]
    return " ".join(["manex", stages.get(parts[0], "analyse"), *parts[1:3]])

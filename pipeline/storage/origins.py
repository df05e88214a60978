"""What an artifact was made from, by hash: a stage refuses an artifact made from others than those that are here.

The hashes are in the artifact's seal. DVC runs again what is out of date; a stage that is called by hand does not know.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from pipeline.clips.formats import PICTURES
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.storage.artifacts import ORIGINS, SEAL
from pipeline.storage.digest import digest

Origins = Mapping[str, str]
"""A hash of each origin, by its path below the root: of a folder's seal, or of a clip."""


def origins(paths: Paths, *places: Path) -> Origins:
    """Artifacts and clips as they are now; folders that are not sealed, as in earlier versions, are left out."""
    found = {place.relative_to(paths.root).as_posix(): _stamp(place) for place in places}
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
    noted = _noted(folder)
    for name in noted:
        _check(paths, paths.root / name, seen)
    for name, stamp in noted.items():
        now = _stamp(paths.root / name)
        if now and now != stamp:
            other = f"made from another {name} than is here"
            raise UserError(f"{folder}: {other}; make it again with: {_command(paths, folder)}")


def _noted(folder: Path) -> Origins:
    try:
        noted = json.loads((folder / SEAL).read_text()).get(ORIGINS, {})
        return {str(name): str(stamp) for name, stamp in noted.items()}
    except (OSError, ValueError, AttributeError):  # not there, or damaged: readers of its files say so
        return {}


def _stamp(place: Path) -> str:
    """The hash of a seal; of a video; of the pictures of a clip. "" if there is none of them."""
    if place.is_file():
        return digest(place)
    if (place / SEAL).is_file():
        return digest(place / SEAL)
    files = sorted(place.iterdir()) if place.is_dir() else []
    pictures = [f"{file.name} {digest(file)}" for file in files if file.suffix.lower() in PICTURES]
    return hashlib.sha256("\n".join(pictures).encode()).hexdigest()[:32] if pictures else ""


def _command(paths: Paths, folder: Path) -> str:
    stages = {"prepared": "prepare", "models": "train", "extrapolated": "extrapolate", "scores": "evaluate"}
    parts = [part for part in folder.relative_to(paths.root).parts if part != "data"]
    return " ".join(["manex", stages.get(parts[0], "analyse"), *parts[1:3]])

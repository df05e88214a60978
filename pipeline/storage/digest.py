"""What a file or a folder holds, as a hash."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from pipeline.storage import artifacts


def digest(path: Path) -> str:
    """Hash of a file, or of all files in a folder but hidden ones; "" if there is none."""
    try:
        if path.is_dir():
            inside = sorted(child for child in path.iterdir() if not child.name.startswith((".", "__pycache__")))
            return sha256("".join(f"{child.name} {digest(child)}\n" for child in inside).encode()).hexdigest()[:32]
        found = path.stat()
        return _of_file(path.resolve(), found.st_mtime_ns, found.st_size, found.st_ino)
    except OSError:
        return ""


@lru_cache(maxsize=100_000)
def _of_file(path: Path, *_: int) -> str:
    return artifacts.sha256(path)[:32]

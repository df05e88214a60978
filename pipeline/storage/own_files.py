"""The files of plug-in denoisers, data/own: those that DVC sees, and those of them that a cell may read.

DVC says that a run is up to date when it sees no change. So a plug-in may be made only of what DVC sees, and a cell
depends on all of it but weights of other cells that it certainly does not read.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.config.plugins import FOLDER, PlugInDenoiser
from pipeline.errors import UserError
from pipeline.storage.own_code import own_code

IGNORED = {"__pycache__", ".git", ".hg"}
"""Folders that DVC leaves out, and that no denoiser is made of."""


def own_files(root: Path) -> list[Path]:
    """All files of data/own, relative to the root, sorted.

    Raises:
        UserError: something there is seen by the code that runs, but not by DVC.
    """
    found: list[Path] = []
    for place, folders, names in os.walk(root / FOLDER):
        here = Path(place).relative_to(root)
        folders[:] = [name for name in folders if name not in IGNORED]
        for name in folders:
            if (root / here / name).is_symlink():
                _refuse(here / name, "a link to a folder: DVC does not look into it; put the folder itself there")
            if name == ".dvc":
                _refuse(here / name, f"DVC leaves out other DVC projects, here {here}: remove this folder")
        for name in names:
            file = here / name
            if name == ".dvcignore":
                _refuse(file, "DVC leaves out what it names; remove it")
            if file.suffix == ".pyc":
                _refuse(file, "DVC does not see bytecode; put the source there")
            if name not in IGNORED and (root / file).is_file():
                found.append(file)
    return sorted(found)


def _refuse(path: Path, reason: str) -> None:
    raise UserError(f"{path}: {reason}")


class Readers:
    """Which files of data/own each plug-in may read.

    Args:
        root: the project's root.
        plug_ins: all plug-ins of params.yaml.
        files: `own_files`.
    """

    def __init__(self, root: Path, plug_ins: Iterable[PlugInDenoiser], files: Sequence[Path]) -> None:
        self.root, self.own, self.files = root, root / FOLDER, files
        self.weights = {file for cfg in plug_ins for file in self._named(cfg)}

    def read_by(self, plug_in: PlugInDenoiser) -> set[Path]:
        """All files but weights of other plug-ins: those that neither its code nor its arguments can lead to."""
        others, code, arguments = self.weights - self._named(plug_in), own_code(self.root, plug_in), _arguments(plug_in)
        folders = [folder / text for text in filter(_could_be_path, arguments) for folder in (self.root, self.own)]
        if code.reads or any(folder.is_dir() for folder in folders):
            return set(self.files)
        words = {word for text in (*arguments, *(text for _, text in code.texts)) for word in _words_in(text)}
        return {
            file for file in self.files if file not in others or words & _words_in(file.relative_to(FOLDER).as_posix())
        }

    def _named(self, plug_in: PlugInDenoiser) -> set[Path]:
        """The weights that a plug-in names: a file, or those in a folder of diffusers, but never code."""
        return {
            file
            for file in self.files
            for named in plug_in.files
            if file == named or (file.is_relative_to(named) and file.suffix in (".safetensors", ".json"))
        }


def check_names(root: Path, where: str, plug_in: PlugInDenoiser, allowed: Sequence[Path] = ()) -> None:
    """Check that a plug-in names nothing that DVC does not watch for its cell.

    Args:
        where: its section in params.yaml.
        allowed: folders besides data/own that the cell depends on.

    Raises:
        UserError: an argument or a string of its code is a path that exists outside.
    """
    # not resolved: DVC sees through a link to a file
    watched = [os.path.abspath(root / folder) for folder in (FOLDER, *allowed)]  # noqa: PTH100
    named = [(f"{where}.arguments", text) for text in _arguments(plug_in)]
    named += [(str(file.relative_to(root)), text) for file, text in own_code(root, plug_in).texts if "/" in text]
    for place, text in named:
        if not _could_be_path(text) or not text.strip("/.~ "):
            continue
        path = Path(os.path.abspath(root / os.path.expanduser(text)))  # noqa: PTH100, PTH111
        if any(path.is_relative_to(folder) for folder in watched):
            continue
        if path.is_file() or (path.is_dir() and "/" in text and (place.startswith(where) or _holds_code(path))):
            raise UserError(f'{place}: "{text}" is outside {FOLDER}, the folder that DVC watches: put it there')


def _holds_code(folder: Path) -> bool:
    """Whether modules can be imported from a folder."""
    return any(any(folder.glob(pattern)) for pattern in ("*.py", "*/__init__.py"))


def _arguments(plug_in: PlugInDenoiser) -> list[str]:
    """All strings in its arguments."""
    return list(_strings(getattr(plug_in, "arguments", {})))


def _words_in(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def _could_be_path(text: str) -> bool:
    """Whether a string could be a path."""
    return bool(text) and len(text) < 1000 and text.isprintable()


def _strings(value: Any) -> Iterator[str]:
    """All strings in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)

"""The files of plug-in denoisers, data/own: those that DVC sees, and those of them that a cell may read.

DVC says that a run is up to date when it sees no change. So a plug-in may be made only of what DVC sees, and a cell
depends on all of it but weights of other cells that it certainly does not read.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pipeline.closure import imported
from pipeline.config.plugins import FOLDER, PlugInDenoiser, located
from pipeline.errors import UserError

IGNORED = {"__pycache__", ".git", ".hg"}
"""Folders that DVC leaves out, and that no denoiser is made of."""
READING = (
    "open",
    "load",
    "read",
    "file",
    "path",
    "glob",
    "dir",
    "walk",
    "scan",
    "exec",
    "eval",
    "import",
    "pretrained",
)
"""Code without a name that contains one of these reads no file, unless a string names it."""


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
        self.root, self.files = root, files
        self.weights = {file for cfg in plug_ins for file in self._named(cfg)}

    def read_by(self, plug_in: PlugInDenoiser) -> set[Path]:
        """All files but weights of other plug-ins: those that neither its code nor its arguments can lead to."""
        others, words = self.weights - self._named(plug_in), self._words(plug_in)
        return {file for file in self.files if file not in others or words is None or words & _words_in(_inner(file))}

    def check(self, where: str, plug_in: PlugInDenoiser, allowed: Sequence[Path] = ()) -> None:
        """Refuse arguments that name what DVC does not watch for this cell.

        Args:
            where: the section in params.yaml.
            allowed: folders besides data/own that the cell depends on.
        """
        # not resolved: DVC sees through a link to a file
        watched = [os.path.abspath(self.root / folder) for folder in (FOLDER, *allowed)]  # noqa: PTH100
        for text in filter(_could_be_path, _strings(getattr(plug_in, "arguments", {}))):
            if not text.strip("/.~ "):
                continue
            path = Path(os.path.abspath(self.root / os.path.expanduser(text)))  # noqa: PTH100, PTH111
            if any(path.is_relative_to(folder) for folder in watched):
                continue
            if path.is_file() or (path.is_dir() and "/" in text):
                raise UserError(f'{where}.arguments: "{text}" is outside {FOLDER}, which DVC watches: put it there')

    def _named(self, plug_in: PlugInDenoiser) -> set[Path]:
        """The weights that a plug-in names: a file, or those in a folder of diffusers, but never code."""
        return {
            file
            for file in self.files
            for named in plug_in.files
            if file == named or (file.is_relative_to(named) and file.suffix in (".safetensors", ".json"))
        }

    def _words(self, plug_in: PlugInDenoiser) -> set[str] | None:
        """All words in the strings of its code and arguments; None if it may read whatever it finds."""
        source = str(getattr(plug_in, "target", "")).partition(":")[0]
        texts = list(_strings(getattr(plug_in, "arguments", {})))
        for text in filter(_could_be_path, texts):
            if (self.root / text).is_dir() or (self.root / located(text)).is_dir():
                return None
        if source and not source.endswith(".py"):
            return None  # an installed package
        todo, seen = [self.root / located(source)] if source else [], set()
        while todo:
            file = todo.pop()
            if file in seen:
                continue
            seen.add(file)
            try:
                tree = ast.parse(file.read_bytes())
            except (OSError, SyntaxError, ValueError):
                return None
            if any(word in name.lower() for name in _identifiers(tree) for word in READING):
                return None
            texts += (
                node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
            )
            todo += self._imports(tree, file, (self.root / located(source)).parent)
        return {word for text in texts for word in _words_in(text)}

    def _imports(self, tree: ast.Module, file: Path, home: Path) -> Iterator[Path]:
        """The files of data/own that a file imports, and those of the packages they are in."""
        top = self.root / FOLDER
        for name in imported(tree, ".".join(file.parent.relative_to(top).parts)):
            parts = name.split(".")
            for base in dict.fromkeys((top, home, file.parent)):
                for count in range(1, len(parts) + 1):
                    stem = base.joinpath(*parts[:count])
                    yield from filter(Path.is_file, (stem.with_suffix(".py"), stem / "__init__.py"))


def _inner(file: Path) -> str:
    """A file's path within data/own."""
    return file.relative_to(FOLDER).as_posix()


def _words_in(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def _could_be_path(text: str) -> bool:
    """Whether a string could be a path."""
    return bool(text) and len(text) < 1000 and text.isprintable()


def _identifiers(tree: ast.AST) -> Iterator[str]:
    """Names that code uses, of its own or of libraries."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias):
            yield node.name


def _strings(value: Any) -> Iterator[str]:
    """All strings in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _strings(inner)

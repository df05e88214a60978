"""The code of a plug-in denoiser, read but not run: what it imports, what it names, whether it may read files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.closure import PACKAGES, imported
from pipeline.config.plugins import FOLDER, PlugInDenoiser, located
from pipeline.errors import UserError

READING = [
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
]
"""Code without a name that contains one of these reads no file, unless a string names it."""


@dataclass(frozen=True)
class OwnCode:
    """The code of a plug-in.

    Attributes:
        modules: dotted names that it imports.
        texts: the strings in it, each with its file.
        reads: whether it may read files that no string names, as far as can be seen.
    """

    modules: tuple[str, ...]
    texts: tuple[tuple[Path, str], ...]
    reads: bool


def own_code(root: Path, plug_in: PlugInDenoiser) -> OwnCode:
    """The code of a plug-in: its file in data/own, and those there that it imports.

    Raises:
        UserError: it imports a file of the project that DVC does not watch.
    """
    source = str(getattr(plug_in, "target", "")).partition(":")[0]
    if not source.endswith(".py"):
        _refuse_strays(root, f"target {source}", [source])
        return OwnCode((source,) if source else (), (), reads=bool(source))  # of an installed package, or of none
    first = root / located(source)
    todo, seen, reads = [first], set[Path](), False
    modules: list[str] = []
    texts: list[tuple[Path, str]] = []
    while todo:
        file = todo.pop()
        if file in seen:
            continue
        seen.add(file)
        try:
            tree = ast.parse(file.read_bytes())
        except (OSError, SyntaxError, ValueError):  # it will be refused when it is imported
            reads = True
            continue
        reads |= any(word in name.lower() for name in _identifiers(tree) for word in READING)
        constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
        texts += ((file, value) for value in constants if isinstance(value, str))
        names = list(imported(tree, ".".join(file.parent.relative_to(root / FOLDER).parts)))
        names += _unspelled(tree, names)
        _refuse_strays(root, str(file.relative_to(root)), names)
        modules += names
        todo += (other for name in names for other in _files(name, (root / FOLDER, first.parent, file.parent)))
    return OwnCode(tuple(dict.fromkeys(modules)), tuple(texts), reads)


def _unspelled(tree: ast.AST, names: list[str]) -> list[str]:
    """What code may take from this project without an import statement of its own for it."""
    whole = {name.partition(".")[0] for name in names if name in PACKAGES or name.endswith(".*")}
    used = dict.fromkeys(_identifiers(tree)) if whole & {*PACKAGES} else ()
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    texts = (text for text in constants if isinstance(text, str))
    return [
        *(f"{package}.{name}" for package in PACKAGES if package in whole for name in used),
        *(text for text in texts if text.partition(".")[0] in PACKAGES and text.replace(".", "").isidentifier()),
    ]


def _files(name: str, folders: tuple[Path, ...]) -> Iterator[Path]:
    """The files that a dotted name leads to in folders, and those of the packages it is in."""
    parts = name.split(".")
    for folder in dict.fromkeys(folders):
        for count in range(1, len(parts) + 1):
            stem = folder.joinpath(*parts[:count])
            yield from filter(Path.is_file, (stem.with_suffix(".py"), stem / "__init__.py"))


def _refuse_strays(root: Path, place: str, names: list[str]) -> None:
    """Python looks for modules in the project's root first, where DVC watches only the project's own."""
    for name in {name.partition(".")[0] for name in names} - {"", *PACKAGES}:
        for stray in (f"{name}.py", f"{name}/__init__.py"):
            if (root / stray).is_file():
                raise UserError(
                    f"{place}: it imports {stray}, which is outside {FOLDER}, the folder that DVC "
                    f"watches: mv {stray.partition('/')[0]} {FOLDER}/"
                )


def _identifiers(tree: ast.AST) -> Iterator[str]:
    """Names that code uses, of its own or of libraries."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.alias):
            yield node.name

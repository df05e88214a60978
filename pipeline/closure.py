"""The code of a module: the project files that it imports, each with a hash of its syntax tree.

DVC knows nothing of imports. Here the import statements of a file are followed, anywhere in it, through the packages of
this project, and each file is hashed as its syntax tree without comments and docstrings: what a comment says changes no
result. A template counts with the file that names it. Imports for type checkers are not followed. Files that decide
where things are and how they are reported, never what is computed, are left out (`SILENT`).
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

PACKAGES = ("manex", "pipeline")
SILENT = {
    "manex/errors.py": "exceptions without code",
    "pipeline/config/explain.py": "words of error messages",
    "pipeline/config/outdated.py": "words of error messages",
    "pipeline/errors.py": "words of error messages",
    "pipeline/paths.py": "where things are; DVC sees a path that changes as an output that is missing",
    "pipeline/progress.py": "bars on the terminal",
    "pipeline/redaction.py": "addresses and messages without passwords",
    "pipeline/settings.py": "the machine: device, threads, tracking; must not reach dvc.lock",
    "pipeline/tracking/address.py": "where the runs go",
    "pipeline/tracking/outcomes.py": "reads records for MLflow",
    "pipeline/tracking/owner.py": "whose runs are whose",
    "pipeline/tracking/record.py": "records of time and machine next to the outputs, not tracked",
    "pipeline/tracking/store.py": "MLflow, by its own interface",
    "pipeline/tracking/sync.py": "MLflow, made from the records",
    "pipeline/tracking/trace.py": "what a record is of",
}
"""Files that are left out of every closure, with the reason."""


@dataclass(frozen=True)
class Source:
    """The files below a root, read once.

    Attributes:
        root: the folder that holds the packages.
    """

    root: Path
    _known: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict, repr=False)

    def closure(self, modules: Iterable[str]) -> dict[str, str]:
        """The hash of every file that the modules run, by its path below the root, sorted.

        Args:
            modules: by their dotted names.

        Raises:
            ValueError: a file cannot be parsed.
        """
        found: dict[str, str] = {}
        todo = [file for module in modules for file in self._files(module)]
        while todo:
            file = todo.pop()
            if file in found or file in SILENT:
                continue
            found[file], imported = self._read(file)
            todo += imported
        return dict(sorted(found.items()))

    def imports(self, file: str) -> tuple[str, ...]:
        """The project files that a file imports."""
        return self._read(file)[1]

    def _read(self, file: str) -> tuple[str, tuple[str, ...]]:
        if file not in self._known:
            path = self.root / file
            try:
                text = path.read_bytes()
                tree = ast.parse(text)
            except (SyntaxError, ValueError) as error:
                raise ValueError(f"{file}: not Python ({error})") from None
            package = ".".join(Path(file).parent.parts)
            names = dict.fromkeys(imported(tree, package))
            files = tuple(dict.fromkeys(other for name in names for other in self._files(name)))
            data = [other for other in sorted(path.parent.glob("*.j2")) if other.name.encode() in text]
            self._known[file] = (_digest(tree, data), files)
        return self._known[file]

    def _files(self, module: str) -> Iterator[str]:
        """The file of a module, or of the module that a name is in; nothing outside the project."""
        if module.partition(".")[0] not in PACKAGES:
            return
        stem = self.root / module.replace(".", "/")
        for path in (stem.with_suffix(".py"), stem / "__init__.py"):
            if path.is_file():
                yield path.relative_to(self.root).as_posix()
                return
        package, _, name = module.rpartition(".")
        if package:
            yield from self._files(package)
            yield from self._files(self._lazy(package).get(name, ""))

    def _lazy(self, package: str) -> dict[str, str]:
        """What a package imports when it is first used, by name: it says so to type checkers."""
        path = self.root / package.replace(".", "/") / "__init__.py"
        nodes = ast.walk(ast.parse(path.read_bytes())) if path.is_file() else ()
        found = (node for node in nodes if isinstance(node, ast.ImportFrom) and not node.level)
        return {alias.asname or alias.name: f"{node.module}.{alias.name}" for node in found for alias in node.names}


def imported(tree: ast.AST, package: str) -> Iterator[str]:
    """Dotted names that are imported anywhere but under `if TYPE_CHECKING:`."""
    todo = [tree]
    while todo:
        node = todo.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            todo += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            home = ".".join(package.split(".")[: len(package.split(".")) - node.level + 1]) if node.level else ""
            module = ".".join(filter(None, [home, node.module]))
            yield from (f"{module}.{alias.name}" for alias in node.names)
        todo += ast.iter_child_nodes(node)


def _digest(tree: ast.Module, data: Iterable[Path]) -> str:
    """Hash of a syntax tree without docstrings and without the descriptions of fields, and of files of other kinds."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [part for part in node.body if not _is_docstring(part)] or [ast.Pass()]
        elif isinstance(node, ast.Call):
            node.keywords = [keyword for keyword in node.keywords if keyword.arg != "description"]
    digest = hashlib.sha256(ast.dump(tree).encode())
    for path in data:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _is_docstring(node: ast.stmt) -> bool:
    """Whether a statement is only a string: the docstring of a module, class, function or attribute."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)

"""Python files of the user, each with its neighbours in a namespace of its own.

Two files may both `import utils` and mean what lies next to each. So the folder never comes onto sys.path: a file is
the module NAMESPACE.STEM of a package whose folder is its own, and an import of a neighbour's name, now or while a
function runs, is an import from that package.
"""

from __future__ import annotations

import builtins
import hashlib
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_loader
from pathlib import Path
from types import ModuleType
from typing import Any

_PREFIX = "manex_own_"


def load(path: Path) -> ModuleType:
    """The module of a file, run anew with its neighbours."""
    folder = path.parent.resolve()
    namespace = _PREFIX + hashlib.sha256(str(folder / path.name).encode()).hexdigest()[:12]
    for name in [name for name in sys.modules if name.partition(".")[0] == namespace]:
        del sys.modules[name]
    package = ModuleType(namespace)
    package.__path__ = [str(folder)]
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    name = f"{namespace}.{path.stem.replace('.', '_')}"
    loader = _Loader(name, str(folder / path.name))
    spec = spec_from_loader(name, loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules.update({namespace: package, name: module})
    places, known = list(sys.path), set(sys.modules)
    try:
        loader.exec_module(module)
    finally:
        _forget(known, [place for place in sys.path if place not in places])
        sys.path[:] = places
    return module


def _forget(known: set[str], places: list[str]) -> None:
    """Forget the modules that a file had Python find in folders it put onto sys.path: the next file has others."""
    for name in set(sys.modules) - known:
        file = getattr(sys.modules[name], "__file__", None)
        if file and not name.startswith(_PREFIX) and any(Path(file).is_relative_to(place) for place in places if place):
            del sys.modules[name]


class _Finder(MetaPathFinder):
    """Finds the modules of the namespaces."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        namespace = fullname.partition(".")[0]
        if path is None or not namespace.startswith(_PREFIX):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(fullname, spec.loader.path)
        return spec


class _Loader(SourceFileLoader):
    """Runs a file with an `import` that knows its neighbours."""

    def path_stats(self, path: str) -> Mapping[str, Any]:
        """Unknown, so that no bytecode is read or written: DVC watches the folder, and a stale one would be silent."""
        raise OSError(path)

    def exec_module(self, module: ModuleType) -> None:
        """Run it."""
        namespace = module.__name__.partition(".")[0]

        def neighbourly(
            name: str,
            globals: Mapping[str, object] | None = None,  # noqa: A002 - as Python's own is called
            locals: Mapping[str, object] | None = None,  # noqa: A002
            fromlist: Sequence[str] | None = (),
            level: int = 0,
        ) -> ModuleType:
            top = name.partition(".")[0]
            if level or not _neighbour(namespace, top):
                return builtins.__import__(name, globals, locals, fromlist or (), level)
            found = builtins.__import__(f"{namespace}.{name}", globals, locals, fromlist or (), 0)
            return found if fromlist else sys.modules[f"{namespace}.{top}"]

        vars(module)["__builtins__"] = {**vars(builtins), "__import__": neighbourly}
        super().exec_module(module)


def _neighbour(namespace: str, top: str) -> bool:
    """Whether a name is that of a module next to the file. A bare folder, such as one of weights, gives way."""
    spec = PathFinder.find_spec(top, sys.modules[namespace].__path__)
    return spec is not None and (spec.origin is not None or find_spec(top) is None)

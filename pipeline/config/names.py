"""Names that settings may use without defining them."""

from __future__ import annotations

import ast
import pkgutil
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from pipeline.errors import UserError, suggestion

PACKAGE = "manex.denoisers"


@cache
def closed_forms() -> tuple[str, ...]:
    """Denoisers that need no training: the files of manex/denoisers/ that hold a class of their name.

    The files are read, not imported: most commands need the names alone.
    """
    spec = find_spec(PACKAGE)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    folders = list(spec.submodule_search_locations)
    return tuple(name for _, name, _ in pkgutil.iter_modules(folders) if class_of(Path(folders[0]) / f"{name}.py"))


def class_of(path: Path) -> str:
    """The class that has the file's name, without underscores and in any case; "" if there is none."""
    wanted = path.stem.replace("_", "")
    classes = (node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef))
    return next((name for name in classes if name.lower() == wanted), "")


def closed_form(name: str) -> str:
    """The `module:class` of a closed form.

    Raises:
        UserError: there is none of that name.
    """
    if name not in closed_forms():
        raise UserError(f'denoiser "{name}" is unknown{suggestion(name, closed_forms())}')
    spec = find_spec(f"{PACKAGE}.{name}")
    assert spec is not None
    return f"{PACKAGE}.{name}:{class_of(Path(str(spec.origin)))}"

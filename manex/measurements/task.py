"""A measurement as settings name it: by its kind, the name of its file."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Annotated, Any

from pydantic import BeforeValidator, SerializeAsAny, ValidationError

from manex.measurements.base import Measured

_PACKAGE = __name__.rpartition(".")[0]


def task(value: Any) -> Any:
    """The settings of the kind that a section names; settings stay what they are.

    Raises:
        ValueError: no such kind, or a setting that does not fit.
    """
    if isinstance(value, Measured):
        return value
    if not isinstance(value, dict) or not isinstance(value.get("kind"), str):
        raise ValueError("a section with kind: NAME is needed, such as {kind: blocks, size: 2}")
    known = {module.name: kind for module in _files() if (kind := _settings(module.name))}
    if value["kind"] not in known:
        raise ValueError(f'kind: "{value["kind"][:60]}" is unknown; known: {", ".join(known)}')
    try:
        return known[value["kind"]].model_validate({key: setting for key, setting in value.items() if key != "kind"})
    except ValidationError as error:
        wrong = ("".join(f"{key}: " for key in issue["loc"]) + issue["msg"] for issue in error.errors())
        raise ValueError("; ".join(wrong)) from None


def _files() -> list[pkgutil.ModuleInfo]:
    return list(pkgutil.iter_modules(import_module(_PACKAGE).__path__))


def _settings(name: str) -> type[Measured] | None:
    """The subclass in a file that has a function of the file's name."""
    file = import_module(f"{_PACKAGE}.{name}")
    own = [value for value in vars(file).values() if isinstance(value, type) and value.__module__ == file.__name__]
    found = [value for value in own if issubclass(value, Measured)]
    return found[0] if found and callable(getattr(file, name, None)) else None


Task = Annotated[Measured, BeforeValidator(task), SerializeAsAny()]
"""A setting that is a measurement: `{kind: pixels, share: 0.3}`."""

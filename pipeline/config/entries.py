"""From the library's settings to the entries of params.yaml, and back.

An entry names a kind (`algorithm: tangent_flow`), which is a file of the library (manex/extrapolators/tangent_flow.py)
with one settings class in it. The entry's model has the fields of that class, noise levels spelled `sigma_255` in 1/255
of the grey range, and what the workflow adds. Below params.yaml noise levels are grey levels: only this file divides.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from copy import copy
from functools import cache
from importlib import import_module
from typing import Annotated, Any, ClassVar, Self, TypeVar

from pydantic import BeforeValidator, Field, SerializeAsAny, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from manex.settings import InGreyLevels, Section
from pipeline.config.explain import explain
from pipeline.errors import UserError, suggestion

S = TypeVar("S", bound=Section)
SUFFIX = "_255"
SKIPPED = "skipped"


class Skipped(Section):
    """An entry that is in a grid of datasets and models, methods or analyses, and is not run."""

    reason: str = Field(min_length=1, description="why, as Table 1 prints it")


class Entry(Section):
    """An entry of params.yaml whose kind is a file of the library.

    Attributes:
        discriminator: the key that names the kind.
        package: where its file is.
        root: their base, as `module:class`; a string, so that a skipped entry imports nothing.
        skipped: the model of entries that are not run.
        wraps: the settings class; None on the bases of entries.
    """

    discriminator: ClassVar[str]
    package: ClassVar[str]
    root: ClassVar[str]
    skipped: ClassVar[type[Skipped]] = Skipped
    wraps: ClassVar[type[Section] | None] = None

    @classmethod
    def complete(cls, kind: type[Section], function: Any) -> bool:
        """Whether a settings class with the function of its file's name is all that a kind needs."""
        return callable(function)

    @property
    def name(self) -> str:
        """The name of the kind."""
        return str(getattr(self, self.discriminator))

    @property
    def module(self) -> str:
        """The file of the library, as a module."""
        return f"{self.package}.{self.name}"

    @property
    def library_settings(self) -> Section:
        """The library's settings, with noise levels in grey levels."""
        assert self.wraps is not None
        values = {}
        for name, info in self.wraps.model_fields.items():
            value = getattr(self, _spelled(name, info))
            values[name] = (
                value.library_settings
                if isinstance(value, Entry)
                else _each(value, lambda level: level / 255)
                if _in_grey(info)
                else value
            )
        return self.wraps.model_validate(values)

    def replaced(self, changes: dict[str, Any]) -> Self:
        """The same entry with other values, checked.

        Raises:
            ValidationError: a value does not fit.
        """
        return type(self).model_validate({**self.model_dump(), **changes})


E = TypeVar("E", bound=Entry)


def parse_entry(base: type[E], values: Any, where: str) -> E | Skipped:
    """One entry.

    Args:
        base: the kind of entry.
        values: as the file holds them.
        where: the keys that lead to the entry, such as `train.walker.resunet`; "" for an entry within another one.

    Raises:
        UserError: it does not fit, one line per issue.
    """
    key = base.discriminator
    if not isinstance(values, dict) or not isinstance(values.get(key), str):
        start = f"{where}: " if where else ""
        raise UserError(f"{start}a section with {key}: NAME is needed; known: {', '.join(kinds(base))}")
    name = values[key]
    if name == SKIPPED:
        rest = {field: value for field, value in values.items() if field != key}
        return validated(base.skipped, rest, where)
    model = model_of(base, name) if name in _files(base.package) else None
    if model is None:
        start = f"{where}." if where else ""
        raise UserError(f'{start}{key}: "{name[:60]}" is unknown{suggestion(name, [*kinds(base), SKIPPED])}')
    entry: E = validated(model, values, where)
    try:
        _ = entry.library_settings  # has checks of its own, across fields
    except ValidationError as error:
        raise UserError("\n".join(explain(error, model, where))) from None
    return entry


def validated(model: type[S], values: Any, where: str) -> S:
    """Values as a model.

    Raises:
        UserError: they do not fit, one line per issue.
    """
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise UserError("\n".join(explain(error, model, where))) from None


def kinds(base: type[Entry]) -> list[str]:
    """The names of all kinds of an entry. Imports every file of the package, so it is for messages and completion."""
    return [name for name in _files(base.package) if settings_class(base, name)]


@cache
def _files(package: str) -> tuple[str, ...]:
    return tuple(sorted(module.name for module in pkgutil.iter_modules(import_module(package).__path__)))


@cache
def model_of(base: type[E], name: str) -> type[E] | None:
    """The model of the entries of one kind; None if the file of that name holds no kind."""
    kind = settings_class(base, name)
    if kind is None:
        return None
    fields: dict[str, Any] = {
        _spelled(field, info): (_type(base, info), _for_file(info)) for field, info in kind.model_fields.items()
    }
    made: type[E] = create_model(
        kind.__name__, __base__=base, __module__=kind.__module__, __doc__=kind.__doc__, **fields
    )
    made.wraps = kind
    return made


def settings_class(base: type[Entry], name: str) -> type[Section] | None:
    """The settings class of a kind: the one subclass of the base in its file, not counting bases of that subclass."""
    module = import_module(f"{base.package}.{name}")
    own = [value for value in vars(module).values() if isinstance(value, type) and value.__module__ == module.__name__]
    parent = named(base.root)
    found = [value for value in own if issubclass(value, parent) and value is not parent]
    leaves = [value for value in found if not any(other is not value and issubclass(other, value) for other in found)]
    if len(leaves) != 1 or not base.complete(leaves[0], getattr(module, name, None)):
        return None
    return leaves[0]


def named(path: str) -> Any:
    """What a `module:name` string names."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def _spelled(name: str, info: FieldInfo) -> str:
    return f"{name}{SUFFIX}" if _in_grey(info) else name


def _in_grey(info: FieldInfo) -> bool:
    return any(isinstance(mark, InGreyLevels) for mark in info.metadata)


def _type(base: type[Entry], info: FieldInfo) -> Any:
    """The type of a field in the file: an entry where the library has settings of the same sort."""
    kind = info.annotation
    if not (isinstance(kind, type) and issubclass(kind, named(base.root))):
        return kind

    def parse(values: Any) -> Entry:
        if isinstance(values, base):
            return values
        try:
            entry = parse_entry(base, values, "")
        except UserError as error:
            raise ValueError("; ".join(str(error).splitlines())) from None
        if not isinstance(entry, Entry) or entry.wraps is None or not issubclass(entry.wraps, kind):
            raise ValueError(f"{values[base.discriminator]} cannot be within another entry")
        return entry

    return Annotated[base, BeforeValidator(parse), SerializeAsAny()]  # type: ignore[type-arg] # an annotation


def _for_file(info: FieldInfo) -> FieldInfo:
    """The field in the file's unit: a default of 60/255 is 60 there."""
    told = copy(info)
    if _in_grey(info) and info.default is not PydanticUndefined:
        told.default = _each(info.default, lambda level: float(f"{level * 255:.12g}"))
    return told


def _each(levels: float | tuple[float, ...], change: Callable[[float], float]) -> float | tuple[float, ...]:
    """One noise level in another unit, or each of several."""
    return tuple(map(change, levels)) if isinstance(levels, tuple) else change(levels)

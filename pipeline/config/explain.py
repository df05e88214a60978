"""What is wrong with settings, in the words of the file."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError
from pydantic_core import ErrorDetails

from pipeline.errors import suggestion

_short = reprlib.Repr()
_short.maxstring = _short.maxlong = _short.maxother = 60


def _shown(key: str) -> str:
    """A key of a file as it may be printed: in one line, no longer than it helps."""
    return key if key.isprintable() and 0 < len(key) <= 80 else _short.repr(key)


def explain(error: ValidationError, model: type[BaseModel], section: str = "") -> Iterator[str]:
    """One line per issue: the field as the file spells it, what is wrong with it, and the nearest right name.

    Args:
        section: the keys that lead to the model, such as `train.walker.resunet`.
    """
    issues = error.errors()
    for issue in issues:
        if issue["type"] == "too_short" and any(_is_below(other["loc"], issue["loc"]) for other in issues):
            continue  # an item that does not fit is not counted
        keys, holder = _locate(issue["loc"], model)
        where = ".".join([*filter(None, [section]), *map(_shown, keys)])
        yield _line(issue, where, keys[-1] if keys else "", holder)


def _line(issue: ErrorDetails, where: str, key: str, holder: type[BaseModel]) -> str:
    kind, context, given = issue["type"], issue.get("ctx", {}), issue["input"]
    message = issue["msg"].removeprefix("Value error, ")
    message = message[0].lower() + message[1:]
    if kind == "extra_forbidden":
        return f"{where}: unknown{suggestion(key, holder.model_fields)}"
    if not where:
        return message
    if kind == "missing":
        field = holder.model_fields.get(key)
        return f"{where}: missing; add it{f': {field.description}' if field and field.description else ''}"
    if kind in {"union_tag_not_found", "union_tag_invalid"}:
        where = f"{where}.{context['discriminator']}".replace("'", "")
    if kind == "union_tag_not_found":
        return f"{where}: missing; add it: which kind the section is"
    if kind == "union_tag_invalid":
        known = _quoted(context["expected_tags"])
        return f"{where}: {_short.repr(context['tag'])} is unknown{suggestion(context['tag'], known)}"
    if kind == "literal_error" and isinstance(given, str):
        return f"{where}: {_short.repr(given)} is unknown{suggestion(given, _quoted(context['expected']))}"
    return f"{where}: {message}" if kind == "value_error" else f"{where}: {message}, not {_short.repr(given)}"


def _is_below(location: tuple[int | str, ...], other: tuple[int | str, ...]) -> bool:
    return len(location) > len(other) and location[: len(other)] == other


def _quoted(names: str) -> list[str]:
    """The names in a list of pydantic's, such as `'a', 'b' or 'c'`."""
    return re.findall(r"'([^']*)'", names)


def _locate(location: tuple[int | str, ...], model: type[BaseModel]) -> tuple[list[str], type[BaseModel]]:
    """The keys of a location without the union tags pydantic puts in, and the innermost model on the way."""
    annotation: Any = model
    keys: list[str] = []
    for key in location:
        if key == "[key]":  # pydantic's word for "the key itself"
            continue
        annotation = _bare(annotation)
        arguments = get_args(annotation)
        if get_origin(annotation) in {Union, UnionType}:  # the key is the tag that chose a member
            annotation = next((member for member in arguments if _has_tag(member, key)), None)
            model = annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else model
            continue
        keys.append(str(key))
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
            field = annotation.model_fields.get(str(key))
            annotation = field.annotation if field else None
        elif arguments:
            annotation = arguments[-1] if get_origin(annotation) is dict else arguments[0]
    return keys, model


def _bare(annotation: Any) -> Any:
    """An annotation without its metadata, and without the None that a field may be instead."""
    while True:
        arguments = [argument for argument in get_args(annotation) if argument is not type(None)]
        optional = get_origin(annotation) in {Union, UnionType} and len(arguments) == 1
        if get_origin(annotation) is not Annotated and not optional:
            return annotation
        annotation = arguments[0]


def _has_tag(member: Any, tag: int | str) -> bool:
    if get_origin(member) is Annotated:
        return Tag(str(tag)) in get_args(member)
    fields = member.model_fields.values() if isinstance(member, type) and issubclass(member, BaseModel) else ()
    return any(tag in get_args(field.annotation) for field in fields)

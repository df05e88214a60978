"""What is wrong with settings, in the words of the file."""

from __future__ import annotations

import reprlib
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError

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
    for issue in error.errors():
        keys, holder = _locate(issue["loc"], model)
        where = ".".join([*filter(None, [section]), *map(_shown, keys)])
        message = issue["msg"].removeprefix("Value error, ")
        if issue["type"] == "extra_forbidden":
            yield f"{where}: unknown{suggestion(keys[-1], holder.model_fields)}"
        elif not where:
            yield message
        elif issue["type"] == "union_tag_invalid":
            context = issue["ctx"]
            tags = [tag.strip(" '") for tag in context["expected_tags"].split(",")]
            field = context["discriminator"].strip("'")
            yield f"{where}.{field}: {_short.repr(context['tag'])} is unknown{suggestion(context['tag'], tags)}"
        elif issue["type"] in {"missing", "value_error", "union_tag_not_found"}:
            yield f"{where}: {message[0].lower() + message[1:]}"
        else:
            yield f"{where}: {message[0].lower() + message[1:]}, not {_short.repr(issue['input'])}"


def _locate(location: tuple[int | str, ...], model: type[BaseModel]) -> tuple[list[str], type[BaseModel]]:
    """The keys of a location without the union tags pydantic puts in, and the innermost model on the way."""
    annotation: Any = model
    keys: list[str] = []
    for key in location:
        if key == "[key]":  # pydantic's word for "the key itself"
            continue
        annotation = get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation
        arguments = get_args(annotation)
        if get_origin(annotation) in {Union, UnionType}:  # the key is the tag that chose a member
            annotation = next(member for member in arguments if _has_tag(member, key))
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


def _has_tag(member: Any, tag: int | str) -> bool:
    if get_origin(member) is Annotated:
        return Tag(str(tag)) in get_args(member)
    return any(tag in get_args(field.annotation) for field in member.model_fields.values())

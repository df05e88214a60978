"""The errors that are the user's to mend: one clear line, no traceback."""

from __future__ import annotations

import errno
import reprlib
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, Tag, ValidationError


class UserError(Exception):
    """Something the user can put right; the message says what was wrong, where, and what to do."""


def suggestion(name: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?` where a known name is close, else the list of known names."""
    known = sorted(known)
    close = get_close_matches(name[:80], known, n=1)
    return f'; did you mean "{close[0]}"?' if close else f"; known: {', '.join(known) or 'none'}"


REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO, errno.EMFILE)
NO_MEMORY = ("allocate memory", "not enough memory", "out of memory", "Storage size calculation overflowed")


def refusal(error: Exception) -> str:
    """What to say where the machine is at fault: no memory, no room, no permission; "" where the program may be."""
    first = (str(error).splitlines() or [""])[0]
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and any(word in first for word in NO_MEMORY)):
        return f"not enough memory ({first or 'refused'}); ask for less in params.yaml: batch, frames, widths, size"
    if isinstance(error, OSError) and error.errno in REFUSALS:
        return f"{error.filename or 'a file'}: {error.strerror}"
    return ""


_short = reprlib.Repr()
_short.maxstring = _short.maxlong = _short.maxother = 60


def _shown(key: str) -> str:
    """A key of a file as it may be printed: in one line, no longer than it helps."""
    return key if key.isprintable() and 0 < len(key) <= 80 else _short.repr(key)


def explain(error: ValidationError, model: type[BaseModel]) -> Iterator[str]:
    """One line an issue: the field as the file spells it, what is wrong with it, and the nearest right name."""
    for issue in error.errors():
        keys, section = _locate(issue["loc"], model)
        where = ".".join(map(_shown, keys))
        message = issue["msg"].removeprefix("Value error, ")
        if issue["type"] == "extra_forbidden":
            yield f"{where}: unknown{suggestion(keys[-1], section.model_fields)}"
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

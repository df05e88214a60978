"""Profiles: complete sets of settings under profiles/, one of which params.yaml is a copy of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pipeline.config.params import load, read_yaml
from pipeline.errors import UserError, suggestion
from pipeline.paths import Paths


def show(paths: Paths) -> Iterator[str]:
    """The profile of params.yaml and each value that is not the profile's."""
    name = load(paths.params).profile
    if not paths.profile(name).is_file():
        yield f"params.yaml: profile {name}; there is no {paths.profile(name)} to compare with"
        return
    differences = _differences(paths, name)
    yield f"params.yaml: profile {name}, {'as it is in' if not differences else 'changed from'} {paths.profile(name)}"
    yield from (f"  {line}" for line in differences)
    yield f"profiles: {', '.join(_known(paths))}"


def use(paths: Paths, name: str, force: bool = False) -> str:
    """Put a profile in place of params.yaml, and say so.

    Raises:
        UserError: no such profile, one that is not valid, or params.yaml holds changes that would be lost.
    """
    if name not in _known(paths):
        raise UserError(f'profile "{name}" is unknown{suggestion(name, _known(paths))}')
    source = paths.profile(name)
    if load(source).profile != name:
        raise UserError(f"{source}: profile: is not {name!r}, the name of the file")
    text = source.read_bytes()
    if paths.params.is_file():
        if paths.params.read_bytes() == text:
            return f"params.yaml: profile {name} already"
        if not force and (own := _own_changes(paths)):
            raise UserError(f"params.yaml: {own}, which would be lost; to replace it: manex profile use {name} --force")
    from pipeline.storage.artifacts import replacing

    with replacing(paths.params) as temporary:
        temporary.write_bytes(text)
    return f"params.yaml: now profile {name}; to compute with it: dvc repro"


def _known(paths: Paths) -> list[str]:
    return sorted(path.stem for path in paths.profiles.glob("*.yaml"))


def _own_changes(paths: Paths) -> str:
    """What in params.yaml stands in no profile; "" if nothing."""
    try:
        values = _read(paths.params)
    except UserError:
        return "cannot be read as settings"
    if any(values == _read(path) for path in paths.profiles.glob("*.yaml")):
        return ""
    name = str(values.get("profile", ""))
    if name not in _known(paths):
        return "is a copy of no profile"
    lines = _differences(paths, name)
    return f"has {len(lines)} change{'s' * (len(lines) != 1)} of its own ({lines[0]}{', ...' * (len(lines) > 1)})"


def _differences(paths: Paths, name: str) -> list[str]:
    mine, theirs = _flat(_read(paths.params)), _flat(_read(paths.profile(name)))
    absent = "absent"
    return [
        f"{key}: {mine.get(key, absent)} (profile: {theirs.get(key, absent)})"
        for key in {**mine, **theirs}
        if mine.get(key, absent) != theirs.get(key, absent)
    ]


def _read(path: Path) -> dict[str, Any]:
    values = read_yaml(path)
    if not isinstance(values, dict):
        raise UserError(f"{path}: holds no settings")
    return values


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return flat

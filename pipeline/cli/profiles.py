"""Profiles: complete sets of settings under profiles/, one of which params.yaml is a copy of.

Each profile has its own results (`reports` in its file) and its own dvc.lock. The lock of the profile in use is in the
project's root; the others are kept with their results. So profiles do not overwrite each other, and a profile that is
used again is as it was left.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from pipeline.config.params import load, load_whole
from pipeline.config.yaml import read_yaml
from pipeline.errors import UserError, suggestion
from pipeline.paths import Paths
from pipeline.storage.artifacts import replacing


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
    """Put a profile in place of params.yaml, and its dvc.lock in place of dvc.lock; say so.

    Raises:
        UserError: no such profile, one that is not valid, a run is going on, or params.yaml holds changes that would be
            lost.
    """
    if name not in _known(paths):
        raise UserError(f'profile "{name}" is unknown{suggestion(name, _known(paths))}')
    source = paths.profile(name)
    if load_whole(source).profile != name:
        raise UserError(f"{source}: profile: is not {name!r}, the name of the file")
    text = source.read_bytes()
    if paths.params.is_file() and paths.params.read_bytes() == text:
        return f"params.yaml: profile {name} already"
    if paths.params.is_file() and not force and (changes := _own_changes(paths)):
        raise UserError(f"params.yaml: {changes}, which would be lost; to replace it: manex profile use {name} --force")
    if busy := _running(paths):
        raise UserError(f"a run is going on ({busy}); wait for it to end, then: manex profile use {name}")
    _put_away_the_lock(paths)
    with replacing(paths.params) as temporary:
        temporary.write_bytes(text)
    _take_the_lock(paths, load(paths.params).reports)
    return f"params.yaml: now profile {name}; to compute with it: manex reproduce"


@contextmanager
def borrowed(paths: Paths, name: str) -> Iterator[None]:
    """Use a profile inside the block; then params.yaml and dvc.lock are again what they were.

    Raises:
        UserError: as `use`.
    """
    before = paths.params.read_bytes() if paths.params.is_file() else None
    use(paths, name)
    try:
        yield
    finally:
        if before is not None and before != paths.params.read_bytes():
            _put_away_the_lock(paths)
            with replacing(paths.params) as temporary:
                temporary.write_bytes(before)
            _take_the_lock(paths, load(paths.params).reports)


def _put_away_the_lock(paths: Paths) -> None:
    """Keep dvc.lock with the results of the profile in use."""
    try:
        home = paths.root / load(paths.params).reports
    except UserError:  # there is no profile in use, or it cannot be read
        return
    if paths.lock.is_file():
        home.mkdir(parents=True, exist_ok=True)
        with replacing(home / paths.lock.name) as temporary:
            shutil.copyfile(paths.lock, temporary)
        paths.lock.unlink()


def _take_the_lock(paths: Paths, reports: str) -> None:
    """Bring the lock of a profile back, if it was ever run here."""
    kept = paths.root / reports / paths.lock.name
    if kept.is_file():
        with replacing(paths.lock) as temporary:
            shutil.copyfile(kept, temporary)


def _running(paths: Paths) -> str:
    """The command of a DVC run that is going on in this project; "" if there is none."""
    try:
        entries = json.loads((paths.root / ".dvc" / "tmp" / "rwlock").read_text())
        infos = [info for entry in entries.values() for info in [entry.get("write"), *entry.get("read", [])] if info]
        living = [str(info["cmd"]) for info in infos if psutil.pid_exists(int(info["pid"]))]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return ""
    return living[0] if living else ""


def _known(paths: Paths) -> list[str]:
    return sorted(path.stem for path in paths.profiles.glob("*.yaml"))


def _own_changes(paths: Paths) -> str:
    """What is in params.yaml and in no profile; "" if nothing."""
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

"""Reading untrusted YAML files of settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from pipeline.errors import UserError

MAX_BYTES, MAX_VALUES = 2**20, 100_000
"""Limits of a settings file, and of what its aliases unfold to."""


def read_yaml(path: Path) -> Any:
    """What a YAML file of settings holds.

    Raises:
        UserError: it cannot be read, is no YAML, refers to itself, or unfolds to more than settings can be.
    """
    try:
        text = path.read_bytes()
        if len(text) > MAX_BYTES:
            raise ValueError(f"{len(text):,} bytes are no settings")
        values = YAML(typ="safe", pure=True).load(text.decode())
        if _unfolded(values, {}) > MAX_VALUES:
            raise ValueError(f"aliases that unfold to more than {MAX_VALUES:,} values")
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None
    except RecursionError:
        raise UserError(f"{path}: not valid YAML: nested too deeply") from None
    except Exception as error:  # the reader fails in many ways on what is no YAML: a bad tag, date or number
        raise UserError(f"{path}: not valid YAML: {' '.join(str(error).split())[:300]}") from None
    return values


def _unfolded(value: Any, known: dict[int, int]) -> int:
    """How many values there are if every alias is replaced by what it refers to."""
    if not isinstance(value, dict | list | set | tuple):
        return 1
    if id(value) not in known:
        known[id(value)] = MAX_VALUES + 1  # for what holds itself
        inside = [*value, *value.values()] if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_unfolded(one, known) for one in inside)
    return known[id(value)]

"""Rows of a table from tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from manex.analyses.base import Rows


def rows(table: str, names: Mapping[str, Any], columns: Mapping[str, Tensor]) -> Rows:
    """One row per element of the columns, each with the same names before it."""
    size = len(next(iter(columns.values())))
    return Rows(table, {**{k: [v] * size for k, v in names.items()}, **{k: v.tolist() for k, v in columns.items()}})


def in_255(sigma: float) -> float:
    """A noise level in 1/255, as params.yaml has it."""
    return float(f"{255 * sigma:.12g}")

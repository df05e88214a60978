"""The base of all settings."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from manex.settings import LARGEST, GreyLevel, InGreyLevels, Name, Section


class Example(Section):
    name: Name = "x"
    steps: int = 3
    sizes: tuple[int, ...] = (1,)
    rate: float = 0.1
    sigma: GreyLevel = 0.1
    flag: bool = True


def test_settings_never_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Example().steps = 4  # type: ignore[misc]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"step": 1}, "Extra inputs"),
        ({"steps": LARGEST + 1}, f"a whole number up to {LARGEST}"),
        ({"sizes": (1, 10**12)}, f"a whole number up to {LARGEST}"),
        ({"rate": float("nan")}, "finite number"),
        ({"rate": float("inf")}, "finite number"),
        ({"sigma": 0.0}, "greater than 0"),
        ({"sigma": -1.0}, "greater than 0"),
        ({"name": "../up"}, "pattern"),
        ({"name": "Upper"}, "pattern"),
        ({"name": "a" * 65}, "at most 64"),
    ],
)
def test_values_that_would_fail_later_are_refused_at_once(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Example(**values)


@pytest.mark.parametrize("values", [{"steps": LARGEST}, {"steps": -5}, {"sizes": (1, LARGEST)}, {"flag": False}])
def test_values_at_the_bounds_are_kept(values: dict[str, Any]) -> None:
    (name,) = values
    assert getattr(Example(**values), name) == values[name]


def test_a_grey_level_is_marked_so_that_files_may_write_it_in_255ths() -> None:
    marked = {name for name, field in Example.model_fields.items() if InGreyLevels in map(type, field.metadata)}
    assert marked == {"sigma"}

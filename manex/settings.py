"""The frozen base of all settings.

Settings explain themselves: every field has a type, bounds and a description. Noise levels are grey levels in [0, 1];
fields marked `GreyLevel` may be written in 1/255 in files (pipeline/config/entries.py converts them, once).
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, field_validator

LARGEST = 2**31 - 1
"""Largest whole number in settings: beyond it, seeds and sizes overflow somewhere below."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
"""Names reach file paths and shell lines: lower case, digits, underscores."""


class InGreyLevels:
    """Marks a field whose unit is the grey level; files write it in 1/255 and add `_255` to its name."""


GreyLevel = Annotated[PositiveFloat, InGreyLevels()]
"""A noise level in grey levels: 25/255 is about 0.098."""
GreyLevels = Annotated[tuple[PositiveFloat, ...], InGreyLevels()]
"""Several of them."""


class Section(BaseModel):
    """Settings: unknown keys and infinite numbers are errors, values never change.

    Example:
        >>> from manex.settings import Section
        >>> class Steps(Section):
        ...     steps: int = 3
        >>> Steps(steps=5)
        Steps(steps=5)
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _not_too_large(cls, value: Any) -> Any:
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, int) and number > LARGEST:
                raise ValueError(f"a whole number up to {LARGEST} is needed, not {number:.3g}")
        return value

"""What every section of params.yaml has in common."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
"""Names reach file paths and shell lines: lower case, digits, underscores."""

LARGEST = 2**31 - 1
"""Of whole numbers: beyond it, seeds and sizes overflow somewhere below."""


class Section(BaseModel):
    """A part of params.yaml: unknown keys and infinite numbers are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*")
    @classmethod
    def _not_too_large(cls, value: Any) -> Any:
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, int) and number > LARGEST:
                raise ValueError(f"a whole number up to {LARGEST} is needed, not {number:.3g}")
        return value


class Skipped(Section):
    """An entry that stands in a grid of datasets and models, or methods, and is not run."""

    reason: str = Field(min_length=1, description="why, as Table 1 prints it")

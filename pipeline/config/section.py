"""What every section of params.yaml has in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
"""Names reach file paths and shell lines: lower case, digits, underscores."""


class Section(BaseModel):
    """A part of params.yaml: unknown keys and infinite numbers are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Skipped(Section):
    """An entry that stands in a grid of datasets and models, or methods, and is not run."""

    reason: str = Field(min_length=1, description="why, as Table 1 prints it")

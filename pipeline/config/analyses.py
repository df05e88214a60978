"""Settings of analyses: `analyse` in params.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, ClassVar, Self, cast

from pydantic import Field, model_validator

from manex.settings import Name
from pipeline.config.entries import Entry

if TYPE_CHECKING:
    from manex.analyses.base import Analysis

ModelName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(/[a-z][a-z0-9_]*)?$", max_length=129)]
"""A trained model, FAMILY/MEMBER, or a closed form."""

OF_WALKS = ("geometry", "levels", "spectrum", "symmetry")
"""Kinds that need walks: they take a denoiser at the noise level of its walk, or walk themselves."""

MEMBER = "manex.analyses.members:member"
"""Makes a subject of a family's member. Named, not imported, so that it is code of analyses of families alone."""


class AnalysisEntry(Entry):
    """An entry under `analyse.DATASET`; its kind is a file of manex/analyses/."""

    discriminator: ClassVar[str] = "kind"
    package: ClassVar[str] = "manex.analyses"
    root: ClassVar[str] = "manex.analyses.base:Analysis"

    kind: Name
    walks: tuple[Name, ...] = Field((), description="methods whose denoisers are analysed")
    denoisers: tuple[ModelName, ...] = Field(
        (), description="trained models, members of families as FAMILY/MEMBER, and closed forms to be analysed"
    )

    @model_validator(mode="after")
    def _names_denoisers(self) -> Self:
        if not self.walks and not self.denoisers:
            raise ValueError("nothing to analyse; name denoisers: [NAME, ...], or walks: [METHOD, ...]")
        if self.denoisers and self.kind in OF_WALKS:
            raise ValueError(f"{self.kind} takes noise levels from walks; name walks instead of denoisers")
        return self

    @property
    def settings(self) -> Analysis:
        """The library's settings."""
        return cast("Analysis", self.library_settings)

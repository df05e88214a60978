"""Settings of analyses: `analyse` in params.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from pydantic import Field

from manex.settings import Name
from pipeline.config.entries import Entry

if TYPE_CHECKING:
    from manex.analyses.base import Analysis


class AnalysisEntry(Entry):
    """An entry under `analyse.DATASET`; its kind is a file of manex/analyses/."""

    discriminator: ClassVar[str] = "kind"
    package: ClassVar[str] = "manex.analyses"
    root: ClassVar[str] = "manex.analyses.base:Analysis"

    kind: Name
    walks: tuple[Name, ...] = Field(
        min_length=1, description="methods whose denoisers are analysed, each at the noise level of its walk"
    )

    @property
    def settings(self) -> Analysis:
        """The library's settings."""
        return cast("Analysis", self.library_settings)

"""Settings of datasets: `data` in params.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from manex.settings import Name
from pipeline.config.entries import Entry

if TYPE_CHECKING:
    from manex.datasets.base import DatasetSettings


class DatasetEntry(Entry):
    """An entry under `data`; its kind is a file of manex/datasets/."""

    discriminator: ClassVar[str] = "kind"
    package: ClassVar[str] = "manex.datasets"
    root: ClassVar[str] = "manex.datasets.base:DatasetSettings"

    kind: Name

    @property
    def settings(self) -> DatasetSettings:
        """The library's settings."""
        return cast("DatasetSettings", self.library_settings)

"""Settings of trainings: `train` in params.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from manex.settings import Name, Section
from pipeline.config.entries import Entry

if TYPE_CHECKING:
    from manex.training.settings import TrainingSettings


class TrainingEntry(Entry):
    """An entry under `train.DATASET`; its kind is a file of manex/training/."""

    discriminator: ClassVar[str] = "network"
    package: ClassVar[str] = "manex.training"
    base: ClassVar[str] = "manex.training.settings:TrainingSettings"

    network: Name

    @classmethod
    def complete(cls, kind: type[Section], function: Any) -> bool:
        """Whether the class says which network is built."""
        return "build" in vars(kind)

    @property
    def settings(self) -> TrainingSettings:
        """The library's settings."""
        return cast("TrainingSettings", self.library_settings)

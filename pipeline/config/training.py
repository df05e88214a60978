"""Settings of trainings: `train` in params.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, cast

from manex.settings import Name, Section
from pipeline.config.entries import Entry

if TYPE_CHECKING:
    from manex.training.family import Subset
    from manex.training.settings import TrainingSettings


class TrainingEntry(Entry):
    """An entry under `train.DATASET`; its kind is a file of manex/training/."""

    discriminator: ClassVar[str] = "network"
    package: ClassVar[str] = "manex.training"
    root: ClassVar[str] = "manex.training.settings:Trainable"

    network: Name

    @classmethod
    def complete(cls, kind: type[Section], function: Any) -> bool:
        """Whether the class says which network is built, or of what the members of a family are."""
        return "build" in vars(kind) or "members" in kind.model_fields

    @property
    def settings(self) -> TrainingSettings:
        """The library's settings of one network."""
        return cast("TrainingSettings", self.library_settings)

    def names(self, model: str) -> list[str]:
        """Under which the trained networks are found: MODEL, or MODEL/MEMBER for each member of a family."""
        return [f"{model}/{member}" for member in self.parts] or [model]

    @property
    def parts(self) -> dict[str, tuple[TrainingEntry, Subset]]:
        """The members of a family, by name: the training of each, and its part of the frames. None for one network."""
        subsets: dict[str, Subset] = getattr(self, "members", {})
        if not subsets:
            return {}
        base: TrainingEntry = self.base  # type: ignore[attr-defined] # a field of families
        return {
            name: (base.replaced({"steps": subset.steps}) if subset.steps else base, subset)
            for name, subset in subsets.items()
        }

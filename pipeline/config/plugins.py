"""Settings of plug-in denoisers: `denoiser: {kind: ..., ...}` in params.yaml."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, JsonValue, PositiveInt, field_validator, model_validator

from manex.settings import Section

FOLDER = Path("data/own")
"""The folder of plug-ins: DVC watches it (`manex code`), and no other."""


def located(path: str) -> Path:
    """A plug-in's file relative to the project's root; `data/own/` may be written or left out."""
    return Path(path) if PurePosixPath(path).is_relative_to(FOLDER.as_posix()) else FOLDER / path


def _inside(path: str) -> str:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts:
        raise ValueError(f'"{path}" leaves {FOLDER}, the folder that DVC watches: put the file there')
    return path


def _target(target: str) -> str:
    source, _, name = target.partition(":")
    if source.endswith(".py") and name.isidentifier() and re.fullmatch(r"[\w./-]+", source):
        return f"{_inside(source)}:{name}"
    if not name.isidentifier() or not all(part.isidentifier() for part in source.split(".")):
        raise ValueError(f'"{target}" names no function; write "my_file.py:build" or "package.module:build"')
    return target


PlugInPath = Annotated[str, AfterValidator(_inside)]
Target = Annotated[str, AfterValidator(_target)]


class PlugInDenoiser(Section):
    """The convention in which it takes frames, and what it returns."""

    predicts: Literal["image", "noise"] = Field("image", description="what it returns")
    sigma: Literal["none", "value"] = Field("none", description="none: blind; value: it is called with the noise level")
    range: tuple[float, float] = Field((0.0, 1.0), description="what it calls black and white; sigma in the same unit")
    channels: Literal[1, 3] | None = Field(None, description="number that it takes; not given: as the frames have")
    multiple: PositiveInt = Field(1, description="frames are padded with black to a multiple of this")
    homogeneous: bool = Field(False, description="D(c y) = c D(y), as of a bias-free ReLU network")

    @property
    def label(self) -> str:
        """How tables call it."""
        raise NotImplementedError

    @property
    def files(self) -> tuple[Path, ...]:
        """The weights it names, relative to the project's root."""
        weights = getattr(self, "weights", None)
        return (located(weights),) if weights else ()


class PlugInWeighted(PlugInDenoiser):
    """One that is filled with a file of weights."""

    weights: PlugInPath | None = Field(None, description="a state_dict: .safetensors, or .pth and the like")
    strip: str | None = Field(None, min_length=1, description="prefix of the names to take, such as module")
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$", description="of the file; needed for .pth and the like")

    @field_validator("strip")
    @classmethod
    def _without_last_dot(cls, value: str | None) -> str | None:
        return value and value.removesuffix(".")

    @model_validator(mode="after")
    def _describe_weights(self) -> Self:
        for name in ("strip", "sha256"):
            if getattr(self, name) is not None and self.weights is None:
                raise ValueError(f"{name} is given, but no weights")
        return self


class PlugInModule(PlugInWeighted):
    """A torch.nn.Module, made by a function of the user's."""

    kind: Literal["module"]
    target: Target = Field(description='"file.py:function" in data/own, or "package.module:function"')
    arguments: dict[str, JsonValue] = Field({}, description="of the function")

    @property
    def label(self) -> str:
        """The function."""
        return self.target


class PlugInCallable(PlugInDenoiser):
    """A function of numpy arrays; its Jacobian is taken by finite differences."""

    kind: Literal["callable"]
    target: Target = Field(description="the function itself")
    arguments: dict[str, JsonValue] = Field({}, description="passed on at every call, by name")

    @property
    def label(self) -> str:
        """The function."""
        return self.target


class PlugInDiffusers(PlugInDenoiser):
    """A UNet2DModel of diffusers with its scheduler, as `DDPMPipeline.save_pretrained` leaves them."""

    kind: Literal["diffusers"]
    weights: PlugInPath = Field(description="a folder with unet/ and scheduler/")
    predicts: Literal["image"] = Field("image", description="the scheduler says what the network predicts")
    sigma: Literal["value"] = Field("value", description="becomes a timestep of the scheduler")
    range: tuple[float, float] = Field((-1.0, 1.0), description="of the frames it was trained on")

    @property
    def label(self) -> str:
        """The folder."""
        return f"diffusers:{self.weights}"


class PlugInDeepinv(PlugInWeighted):
    """A denoiser of deepinv, D(y, sigma)."""

    kind: Literal["deepinv"]
    model: str = Field(pattern=r"^[A-Za-z]\w*$", description="a class of deepinv.models, such as DRUNet")
    arguments: dict[str, JsonValue] = Field({}, description="of the class; `pretrained` is null unless given")
    predicts: Literal["image"] = "image"
    sigma: Literal["value"] = "value"

    @property
    def label(self) -> str:
        """The class."""
        return f"deepinv:{self.model}"


PlugIn = Annotated[PlugInModule | PlugInCallable | PlugInDiffusers | PlugInDeepinv, Field(discriminator="kind")]
"""What can replace a denoiser's name."""

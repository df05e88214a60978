"""The law of the noise that a denoiser removes: y = u + sigma S^(1/2) z with z standard normal.

S has ones on its diagonal, so sigma is the standard deviation of every pixel whatever the law. With it
D(y) = E[u|y] = y + sigma^2 S grad log p(y), and J_D = Cov[u|y] S^-1 / sigma^2 is not symmetric unless S = I;
S^(-1/2) J_D S^(1/2) is (Voleti 2023, chapter 6, with the drift corrected).

A law is one file of this folder, with a subclass of `Noise` that is called like the file. Settings name it by `kind`:
`{kind: free_field, gamma: 0.5}`.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Callable
from importlib import import_module
from typing import Annotated, Any

import torch
from jaxtyping import Float
from pydantic import BeforeValidator, SerializeAsAny, ValidationError, model_serializer
from torch import Tensor

from manex.arrays import Frames
from manex.settings import Section


class Noise(Section):
    """A stationary Gaussian law of unit variance per pixel, independent from channel to channel.

    S^(1/2) is the symmetric root, so `colour` and `whiten` are their own transposes.
    """

    @property
    def is_white(self) -> bool:
        """Whether S = I: the maps below are then the identity."""
        return False

    def colour(self, white: Frames) -> Frames:
        """S^(1/2) v: white noise becomes noise of this law."""
        raise NotImplementedError

    def whiten(self, coloured: Frames) -> Frames:
        """S^(-1/2) v, the inverse of `colour`."""
        raise NotImplementedError

    def covariance(self, height: int, width: int) -> Float[Tensor, "pixel pixel"]:
        """S of one channel, in float64, pixels row by row."""
        pixels = torch.eye(height * width, dtype=torch.float64).reshape(-1, 1, height, width)
        return self.colour(self.colour(pixels)).flatten(1)

    @model_serializer(mode="wrap")
    def _with_kind(self, fields: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {"kind": type(self).__module__.rpartition(".")[2], **fields(self)}


def law(value: Any) -> Any:
    """The law that settings name by its kind; a law stays what it is.

    Raises:
        ValueError: no such kind, or a setting that does not fit.
    """
    if isinstance(value, Noise):
        return value
    if not isinstance(value, dict) or not isinstance(value.get("kind"), str):
        raise ValueError("a section with kind: NAME is needed, such as {kind: white}")
    files = [module.name for module in pkgutil.iter_modules(import_module(_PACKAGE).__path__)]
    made = _class(value["kind"]) if value["kind"] in files else None
    if made is None:
        raise ValueError(f'kind: "{value["kind"][:60]}" is unknown; known: {", ".join(filter(_class, files))}')
    try:
        return made.model_validate({name: setting for name, setting in value.items() if name != "kind"})
    except ValidationError as error:
        wrong = ("".join(f"{key}: " for key in issue["loc"]) + issue["msg"] for issue in error.errors())
        raise ValueError("; ".join(wrong)) from None


def _class(kind: str) -> type[Noise] | None:
    """The law in the file of this name: the subclass that has the name, too."""
    found = vars(import_module(f"{_PACKAGE}.{kind}")).items()
    laws = (value for name, value in found if name.lower() == kind.replace("_", "") and isinstance(value, type))
    return next((law for law in laws if issubclass(law, Noise)), None)


_PACKAGE = __name__.rpartition(".")[0]
Law = Annotated[Noise, BeforeValidator(law), SerializeAsAny()]
"""A setting that is a law: `noise: {kind: free_field, gamma: 0.5}`."""

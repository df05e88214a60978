"""A linear measurement with orthonormal rows, and how any matrix becomes one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
from jaxtyping import Float
from pydantic import model_serializer
from torch import Tensor

from manex.arrays import Frames
from manex.settings import Section


class Measured(Section):
    """Base of the settings of measurements. A kind is one file: one subclass, and a function of the file's name."""

    def of(self, shape: tuple[int, int, int]) -> Measurement:
        """The measurement of images of a shape, (channel, height, width), by the function of the kind's file.

        Raises:
            ValueError: it does not fit them.
        """
        made: Measurement = getattr(import_module(type(self).__module__), self._kind)(self, shape)
        return made

    @property
    def _kind(self) -> str:
        return type(self).__module__.rpartition(".")[2]

    @model_serializer(mode="wrap")
    def _with_kind(self, fields: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {"kind": self._kind, **fields(self)}


CUT = 0.01
"""Singular values below this share of the largest one count as zero."""


@dataclass(frozen=True, eq=False)
class Measurement:
    """c = R u: m numbers of an image of N, with R R^T = I.

    So R^T c is the image of least length that measures c, and R^T R keeps what is measured of an image.

    Attributes:
        rows: R, (m, N), orthonormal.
        shape: of an image: (channel, height, width), N in all.

    Example:
        >>> from manex import Hole, hole
        >>> measurement = hole(Hole(top=2, left=2, height=4, width=4), (1, 8, 8))
        >>> len(measurement.rows)
        48
        >>> frames = torch.rand(3, 1, 8, 8)
        >>> filled = measurement.lift(measurement.measure(frames))
        >>> bool((filled[..., 2:6, 2:6] == 0).all())
        True
    """

    rows: Float[Tensor, "measured pixel"]
    shape: tuple[int, int, int]

    def measure(self, frames: Frames) -> Float[Tensor, "batch measured"]:
        """R u.

        Raises:
            ValueError: the frames have another shape.
        """
        if frames.shape[1:] != self.shape:
            raise ValueError(f"frames are {tuple(frames.shape[1:])}, the measurement is made for {self.shape}")
        return frames.flatten(1) @ self._rows(frames).T

    def lift(self, values: Float[Tensor, "batch measured"]) -> Frames:
        """R^T c."""
        frames: Tensor = (values @ self._rows(values)).unflatten(1, self.shape)
        return frames

    def inside(self, frames: Frames) -> Frames:
        """R^T R u: what is measured of an image."""
        return self.lift(self.measure(frames))

    def _rows(self, like: Tensor) -> Tensor:
        return self.rows.to(like.device, like.dtype)


def orthonormal(
    matrix: Float[Tensor, "any pixel"], shape: tuple[int, int, int]
) -> tuple[Measurement, Float[Tensor, "measured any"]]:
    """The measurement that knows of an image what b = A u knows, and the matrix T that turns b into its values c = T b.

    By the SVD A = U S V^T: R = V^T and T = S^-1 U^T, without the directions whose singular value is below `CUT` of the
    largest. Where T stretches b, it stretches its noise too.

    Args:
        matrix: A, for flattened images.

    Raises:
        ValueError: A measures nothing, is not finite, or is not made for images of this shape.
    """
    pixels = shape[0] * shape[1] * shape[2]
    if matrix.ndim != 2 or matrix.shape[1] != pixels:
        raise ValueError(f"a matrix with {pixels} columns is needed for images of {shape}, not {tuple(matrix.shape)}")
    if not matrix.isfinite().all():
        raise ValueError("the matrix contains NaN or infinity")
    left, values, right = torch.linalg.svd(matrix.double(), full_matrices=False)
    kept = int((values > CUT * values[:1]).sum()) if values.numel() and values[0] > 0 else 0
    if not kept:
        raise ValueError("the matrix measures nothing")
    return Measurement(right[:kept], shape), left[:, :kept].T / values[:kept, None]

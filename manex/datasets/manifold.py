"""The latent manifold of a video, densely sampled, and its tangents."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Tensor

from manex.arrays import Frames
from manex.errors import MetricError


@dataclass(frozen=True, eq=False)
class LatentManifold:
    """One video's manifold, densely sampled: several samples for each step that must be recognised.

    Attributes:
        frames: the samples, grey levels.
        coordinates: their latent coordinates, strictly increasing, in the latent's unit (degrees or pixels).
        period: length of the circle in that unit; None for a segment.

    Raises:
        MetricError: fewer than two samples, or coordinates that do not increase, or exceed the period.
    """

    frames: Float[Tensor, "latent channel height width"]
    coordinates: Float[Tensor, " latent"]
    period: float | None = None

    def __post_init__(self) -> None:
        if len(self.coordinates) < 2 or len(self.coordinates) != len(self.frames):
            raise MetricError(f"manifold of {len(self.frames)} frames and {len(self.coordinates)} coordinates")
        if not bool((self.coordinates.diff() > 0).all()):
            raise MetricError("the coordinates of a manifold must increase strictly")
        if self.period is not None and not self._range < self.period:
            raise MetricError(f"coordinates range over {self._range:g}, a period of {self.period:g} or more")

    @cached_property
    def _range(self) -> float:
        return float(self.coordinates[-1] - self.coordinates[0])

    @property
    def length(self) -> float:
        """Length of the circle or segment, in the latent's unit."""
        return self._range if self.period is None else self.period

    @cached_property
    def spacing(self) -> float:
        """Median distance of neighbouring samples, in the latent's unit."""
        return float(self.coordinates.double().diff().median())


def true_tangents(manifold: LatentManifold, frames: Frames) -> Frames:
    """The unit tangent of the manifold at the sample nearest to each frame, by central differences."""
    dense = manifold.frames.to(frames)
    nearest = torch.cdist(frames.flatten(1), dense.flatten(1)).argmin(1)
    if manifold.period is None:
        ahead, behind = (nearest + 1).clamp(max=len(dense) - 1), (nearest - 1).clamp(min=0)
    else:
        ahead, behind = (nearest + 1) % len(dense), (nearest - 1) % len(dense)
    tangents = (dense[ahead] - dense[behind]).flatten(1)
    unit: Tensor = tangents / tangents.norm(dim=1, keepdim=True)
    return unit.reshape(frames.shape)

"""Local PCA: at each step the principal plane of the nearest training frames approximates the manifold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar

import torch
from jaxtyping import Float
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor

from manex.arrays import Frames, Vectors, unit
from manex.denoisers.memoriser import Memoriser
from manex.extrapolators.base import Walk, WalkState, steps
from manex.geometry.tangent import project
from manex.noises.draws import ItemNoise
from manex.settings import Section

Clouds = Float[Tensor, "batch member channel height width"]
Patch = tuple[Frames, Vectors]
"""Where to land, and orthonormal axes of the plane there."""


class Planes(Section):
    """A walk over planes."""

    rank: PositiveInt = Field(2, description="dimension of the planes")
    speed: PositiveFloat = Field(1.0, description="path length per frame, in units of |u1 - u0|")
    substeps: PositiveInt = Field(2, description="steps per output frame")
    momentum: float = Field(2.0, ge=0, description="weight of the last direction next to the velocity's")


class LocalPca(Walk, Planes):
    """Planes through the nearest training frames.

    Source: Kambhatla and Leen (1997). Takes a `Memoriser`.

    Example:
        >>> from manex import ItemNoise, LocalPca, Memoriser
        >>> from manex.extrapolators.walk import walk
        >>> frames = torch.rand(20, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> states = walk(LocalPca(neighbours=4), Memoriser(frames), frames[:1], frames[1:2], ItemNoise([(0,)]))
        >>> next(states).frame.shape
        torch.Size([1, 1, 8, 8])
    """

    takes: ClassVar[type] = Memoriser
    default_model: ClassVar[str] = "memoriser"

    neighbours: int = Field(6, ge=2, description="training frames per plane")


def local_pca(known: Memoriser, first: Frames, second: Frames, cfg: LocalPca, noise: ItemNoise) -> Iterator[WalkState]:
    """Walk over the principal planes of the `neighbours` nearest training frames, the atoms of the memoriser.

    The tangent estimate of local PCA (Kambhatla and Leen 1997; Zhang and Zha's local tangent space alignment, 2004).

    Args:
        first, second: clean frames in [0, 1].
    """

    def patch(at: Frames) -> Patch:
        nearest = torch.cdist(at.flatten(1), known.atoms.flatten(1)).topk(cfg.neighbours, largest=False).indices
        centre, axes = plane(known.atoms[nearest], cfg.rank)
        return centre + project(axes, at - centre), axes

    return over_planes(patch, first, second, cfg)


def over_planes(patch: Callable[[Frames], Patch], first: Frames, second: Frames, cfg: Planes) -> Iterator[WalkState]:
    """Step along the heading, project onto the plane there, turn the heading into it, endlessly."""

    def advance(previous: Frames, heading: Frames, stride: Tensor) -> tuple[Frames, Frames]:
        landed, axes = patch(previous + stride * heading)
        current = landed.clamp(0, 1)
        return current, unit(project(axes, unit(current - previous) + cfg.momentum * heading))

    return steps(advance, first, second, cfg.speed, cfg.substeps)


def plane(clouds: Clouds, rank: int) -> Patch:
    """The mean and the first principal axes of each cloud of frames."""
    mean = clouds.mean(1)
    axes = torch.linalg.svd((clouds - mean.unsqueeze(1)).flatten(2), full_matrices=False)[2][:, :rank]
    return mean, axes.reshape(len(clouds), -1, *mean.shape[1:])

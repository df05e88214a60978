"""Linear extrapolation in the principal coordinates of the training frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from pydantic import Field, PositiveFloat, PositiveInt

from manex.arrays import Frames, unit
from manex.denoisers.memoriser import Memoriser
from manex.extrapolators.base import Walk, WalkState, first_velocity
from manex.noises.draws import ItemNoise


class PcaLinear(Walk):
    """A straight line in the training frames' principal coordinates: Algorithm 3 with a linear autoencoder.

    Takes a `Memoriser`.

    Example:
        >>> from manex import ItemNoise, Memoriser, PcaLinear
        >>> from manex.extrapolators.walk import walk
        >>> frames = torch.rand(20, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> states = walk(PcaLinear(rank=5), Memoriser(frames), frames[:1], frames[1:2], ItemNoise([(0,)]))
        >>> next(states).frame.shape
        torch.Size([1, 1, 8, 8])
    """

    takes: ClassVar[type] = Memoriser
    default_model: ClassVar[str] = "memoriser"

    rank: PositiveInt = Field(50, description="principal coordinates kept")
    speed: PositiveFloat = Field(1.0, description="step per frame, in units of the given one")


def pca_linear(
    known: Memoriser, first: Frames, second: Frames, cfg: PcaLinear, noise: ItemNoise
) -> Iterator[WalkState]:
    """A straight line through both frames' first `rank` principal coordinates, decoded and clipped, endlessly.

    Algorithm 3 with the linear autoencoder: one flat space for all videos.

    Args:
        first, second: clean frames in [0, 1].
    """
    frames = known.atoms.flatten(1)
    mean = frames.mean(0)
    axes = torch.linalg.svd(frames - mean, full_matrices=False)[2][: cfg.rank]
    step = cfg.speed * (first_velocity(first, second).flatten(1) @ axes.T)
    code = (second.flatten(1) - mean) @ axes.T
    heading = unit((step @ axes).reshape(first.shape))
    while True:
        code = code + step
        yield WalkState((mean + code @ axes).reshape(first.shape).clamp(0, 1), heading)

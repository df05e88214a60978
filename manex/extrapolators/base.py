"""What every extrapolator shares: its settings' base, the state it yields, steps of fixed length.

An extrapolator is one file. It holds one subclass of `Walk`, its settings, and a function that has the file's name:

    def my_walk(model, first, second, cfg, noise) -> Iterator[WalkState]

The function yields states endlessly; the caller takes as many as it wants. `walk` finds it from the settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import Field
from torch import Tensor

from manex.arrays import Frames, PerItem, lengths, unit
from manex.denoisers.base import Denoiser
from manex.errors import WalkError
from manex.settings import GreyLevel, Section


class Walk(Section):
    """Base of the settings of all extrapolators.

    Attributes:
        takes: the type of model that the algorithm needs.
        default_model: the model's name if params.yaml gives none; "" for a method without a model.
        default_block: the part of a table that shows the method: manifold, rivals, or supervised (rivals trained on
            ordered clips, which reveal more than shuffled frames).
    """

    takes: ClassVar[type] = type(None)
    default_model: ClassVar[str] = ""
    default_block: ClassVar[str] = "rivals"

    def fitted(self, model: Any, frames: Frames) -> Any:
        """The model as the algorithm takes it, fitted to the training frames where the algorithm needs that."""
        return model


class Denoised(Walk):
    """Base of the settings of walks with a denoiser."""

    takes: ClassVar[type] = Denoiser
    default_model: ClassVar[str] = "resunet"
    default_block: ClassVar[str] = "manifold"

    sigma: GreyLevel = Field(description="noise level of every step")


@dataclass(frozen=True)
class WalkState:
    """One generated frame of every video.

    Attributes:
        frame: the frame, as the algorithm leaves it (not clipped unless the algorithm clips).
        heading: unit vector of the last motion in image space; None if the algorithm has none.
        record: numbers per video, by name: eigenvalues, products spent and the like.

    Example:
        >>> from manex import WalkState
        >>> WalkState(torch.zeros(2, 1, 8, 8)).heading is None
        True
    """

    frame: Frames
    heading: Frames | None = None
    record: dict[str, Tensor] = field(default_factory=dict)


def first_velocity(first: Frames, second: Frames) -> Frames:
    """u_1 - u_0.

    Raises:
        WalkError: a video whose two frames are the same, which has no velocity, or that is not finite.
    """
    velocity = second - first
    size = lengths(velocity).flatten()
    if bad := (~size.isfinite()).nonzero().flatten().tolist():
        raise WalkError(f"video {bad[0]}: its first two frames hold values that are not finite")
    if bad := (size == 0).nonzero().flatten().tolist():
        raise WalkError(f"video {bad[0]}: its first two frames are identical, so there is no velocity to follow")
    return velocity


def steps(
    advance: Callable[[Frames, Frames, PerItem], tuple[Frames, Frames]],
    first: Frames,
    second: Frames,
    speed: float,
    substeps: int,
) -> Iterator[WalkState]:
    """Walk endlessly in steps of fixed length, `speed` |u_1 - u_0| / `substeps`; one state every `substeps` of them.

    Args:
        advance: (frame, unit heading, length) -> the next frame and the heading there.
        first, second: clean frames in [0, 1].

    Raises:
        WalkError: see `first_velocity`.
    """
    velocity = first_velocity(first, second)
    stride = speed * lengths(velocity) / substeps
    current, heading = second, unit(velocity)
    while True:
        for _ in range(substeps):
            current, heading = advance(current, heading, stride)
        yield WalkState(current, heading)

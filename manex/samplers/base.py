"""What samplers share: the state of a batch, of which each item ends when it is done."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from manex.arrays import Frames


@dataclass(frozen=True, eq=False)
class SampleState:
    """A batch on its way from noise to images.

    Attributes:
        frame: as it is now, with its noise.
        clean: as the denoiser saw it last.
        level: standard deviation of the noise that is left, in grey levels.
        going: which items are not done yet; what is done does not change any more.
        diverged: which items ended because they left all images.
    """

    frame: Frames
    clean: Frames
    level: Float[Tensor, " batch"]
    going: Bool[Tensor, " batch"]
    diverged: Bool[Tensor, " batch"]


def last(states: Iterable[SampleState]) -> SampleState:
    """The state at the end.

    Raises:
        ValueError: there is none.
    """
    kept = deque(states, maxlen=1)
    if not kept:
        raise ValueError("a sampler without steps has no last state")
    return kept[0]

"""Persistence: the last frame, repeated. On real video it is the forecast to beat."""

from __future__ import annotations

from collections.abc import Iterator

from manex.arrays import Frames
from manex.extrapolators.base import Walk, WalkState
from manex.noises.draws import ItemNoise


class Persistence(Walk):
    """The last frame, repeated. Takes no model.

    Example:
        >>> from manex import ItemNoise, Persistence
        >>> from manex.extrapolators.walk import walk
        >>> video = torch.rand(2, 1, 8, 8)
        >>> state = next(walk(Persistence(), None, video[:1], video[1:], ItemNoise([(0,)])))
        >>> bool((state.frame == video[1:]).all())
        True
    """


def persistence(model: None, first: Frames, second: Frames, cfg: Persistence, noise: ItemNoise) -> Iterator[WalkState]:
    """u_1, endlessly."""
    while True:
        yield WalkState(second)

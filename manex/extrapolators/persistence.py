"""Persistence: the last frame, repeated. On real video it is the forecast to beat."""

from __future__ import annotations

from collections.abc import Iterator

from manex.arrays import Frames
from manex.extrapolators.base import Walk, WalkState
from manex.noises.draws import ItemNoise


class Persistence(Walk):
    """The last frame, repeated."""


def persistence(model: None, first: Frames, second: Frames, cfg: Persistence, noise: ItemNoise) -> Iterator[WalkState]:
    """u_1, endlessly."""
    while True:
        yield WalkState(second)

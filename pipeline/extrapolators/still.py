"""The two rivals that know nothing: repeat the last frame, or the last change of every pixel."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.arrays import Frames
from pipeline.config.rivals import Persistence, PixelLinear
from pipeline.extrapolators.base import ItemNoise, WalkState, first_velocity, unit


def persistence(model: None, first: Frames, second: Frames, cfg: Persistence, noise: ItemNoise) -> Iterator[WalkState]:
    """u_1, for ever: on real video the forecast that is hard to beat."""
    while True:
        yield WalkState(second)


def pixel_linear(model: None, first: Frames, second: Frames, cfg: PixelLinear, noise: ItemNoise) -> Iterator[WalkState]:
    """2 u_t - u_(t-1) clipped to [0, 1], for ever: Algorithm 2 without noise and without a denoiser.

    Args:
        first, second: clean frames in [0, 1].
    """
    first_velocity(first, second)
    previous, current = first, second
    while True:
        velocity = current - previous
        previous, current = current, (current + velocity).clamp(0, 1)
        yield WalkState(current, unit(velocity))

"""Linear extrapolation of every pixel: Algorithm 2 without noise and without a denoiser."""

from __future__ import annotations

from collections.abc import Iterator

from manex.arrays import Frames, unit
from manex.extrapolators.base import Walk, WalkState, first_velocity
from manex.noises.draws import ItemNoise


class PixelLinear(Walk):
    """The last change of every pixel, repeated and clipped. Takes no model.

    Example:
        >>> from manex import ItemNoise, PixelLinear
        >>> from manex.extrapolators.walk import walk
        >>> dark, bright = torch.full((1, 1, 8, 8), 0.25), torch.full((1, 1, 8, 8), 0.5)
        >>> float(next(walk(PixelLinear(), None, dark, bright, ItemNoise([(0,)]))).frame.mean())
        0.75
    """


def pixel_linear(model: None, first: Frames, second: Frames, cfg: PixelLinear, noise: ItemNoise) -> Iterator[WalkState]:
    """2 u_t - u_(t-1) clipped to [0, 1], endlessly.

    Args:
        first, second: clean frames in [0, 1].
    """
    first_velocity(first, second)
    previous, current = first, second
    while True:
        velocity = current - previous
        previous, current = current, (current + velocity).clamp(0, 1)
        yield WalkState(current, unit(velocity))

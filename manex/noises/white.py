"""White noise, the default: every pixel on its own."""

from __future__ import annotations

from manex.arrays import Frames
from manex.noises.base import Noise


class White(Noise):
    """S = I."""

    @property
    def is_white(self) -> bool:
        """Always."""
        return True

    def colour(self, white: Frames) -> Frames:
        """The same tensor: no copy, no rounding."""
        return white

    def whiten(self, coloured: Frames) -> Frames:
        """The same tensor."""
        return coloured

"""The law of the noise that a denoiser removes: y = u + sigma S^(1/2) z with z standard normal.

S has ones on its diagonal, so sigma is the standard deviation of every pixel whatever the law. With it
D(y) = E[u|y] = y + sigma^2 S grad log p(y), and J_D = Cov[u|y] S^-1 / sigma^2 is not symmetric unless S = I;
S^(-1/2) J_D S^(1/2) is (Voleti 2023, chapter 6, with the drift corrected).
"""

from __future__ import annotations

from manex.arrays import Frames
from manex.settings import Section


class Noise(Section):
    """A stationary Gaussian law of unit variance per pixel, independent from channel to channel."""

    @property
    def is_white(self) -> bool:
        """Whether S = I: the maps below are then the identity."""
        return False

    def colour(self, white: Frames) -> Frames:
        """S^(1/2) v: white noise becomes noise of this law."""
        raise NotImplementedError

    def whiten(self, coloured: Frames) -> Frames:
        """S^(-1/2) v, the inverse of `colour`."""
        raise NotImplementedError

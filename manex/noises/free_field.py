"""The Gaussian free field: long waves are stronger than short ones (Voleti 2023, 6.5; the normalisation is ours)."""

from __future__ import annotations

from functools import lru_cache

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from manex.arrays import Frames
from manex.noises.base import Noise


class FreeField(Noise):
    """S is circulant with eigenvalues |k|^(-2 gamma), divided by their mean over all frequencies.

    |k| is in cycles per frame. The mean grey level (k = 0), whose eigenvalue would be infinite, takes that of |k| = 1.

    Example:
        >>> import torch
        >>> from manex.noises.free_field import FreeField
        >>> bool((FreeField(gamma=0).colour(z := torch.randn(1, 1, 8, 8)) == z).all())
        True
    """

    gamma: float = Field(ge=0, le=2, description="0: white; 1/2: neighbouring pixels correlate by 0.28 at 20x20")

    @property
    def is_white(self) -> bool:
        """For gamma = 0."""
        return self.gamma == 0

    def colour(self, white: Frames) -> Frames:
        """S^(1/2) v."""
        return self._filtered(white, 0.5)

    def whiten(self, coloured: Frames) -> Frames:
        """S^(-1/2) v."""
        return self._filtered(coloured, -0.5)

    def _filtered(self, frames: Frames, power: float) -> Frames:
        if self.is_white:
            return frames
        size = frames.shape[-2:]
        gains = _gains(self.gamma, power, *size, frames.dtype, frames.device)
        filtered: Frames = torch.fft.irfft2(torch.fft.rfft2(frames) * gains, s=size)
        return filtered


@lru_cache(maxsize=32)
def _gains(
    gamma: float, power: float, height: int, width: int, dtype: torch.dtype, device: torch.device
) -> Float[Tensor, "row column"]:
    """A power of the eigenvalues of S, at the frequencies that rfft2 gives."""
    rows, columns = (torch.fft.fftfreq(n, 1 / n, dtype=torch.float64) for n in (height, width))
    square = rows[:, None] ** 2 + columns**2
    square[0, 0] = 1
    values: Tensor = square**-gamma
    return ((values / values.mean()) ** power)[:, : width // 2 + 1].to(device, dtype)

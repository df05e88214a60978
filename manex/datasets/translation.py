"""Each digit shifted horizontally (A.4); the latent is a segment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat

from manex.datasets.digits import Digits, Images, along, with_others
from manex.datasets.videos import LatentVideos


class Translation(Digits):
    """Each digit shifted horizontally; the latent is a segment.

    Example:
        >>> from manex import Translation
        >>> Translation(frames=50).frames
        50
    """

    reach: PositiveFloat = Field(6, description="the shift runs from -reach to +reach pixels")


def translation(cfg: Translation, raw: Images) -> LatentVideos:
    """Digits shifted from -reach to +reach pixels in `cfg.frames` steps of 2 reach / frames (0.12 for 100).

    Raises:
        ValueError: fewer training digits than asked for.

    Example:
        >>> import numpy as np
        >>> from manex import Images, Translation, translation
        >>> digits = np.zeros((3, 28, 28), np.uint8)
        >>> made = translation(Translation(frames=10, dense=50), Images(videos=digits, others=digits[:0]))
        >>> made.videos.shape, made.unit
        ((3, 10, 1, 20, 20), 'pixels')
    """
    step = 2 * cfg.reach / cfg.frames
    shifts = -cfg.reach + step * np.arange(cfg.frames, dtype=np.float64)

    def moved(digits: NDArray[np.uint8], dense: int) -> LatentVideos:
        fine = np.linspace(shifts[0], shifts[-1], dense, dtype=np.float64)
        return along(digits, _shift, shifts, fine, "pixels", period=None)

    return with_others(moved, raw, cfg)


def _shift(pixels: float) -> NDArray[np.float64]:
    """Inverse map of a shift to the right."""
    return np.array([[1.0, 0.0, -pixels], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])

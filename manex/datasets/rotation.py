"""Each digit turned about its centre (A.4); the latent is a circle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from manex.datasets.digits import SIZE, Digits, Images, along, with_others
from manex.datasets.videos import LatentVideos


class Rotation(Digits):
    """Each digit turned about its centre; the latent is a circle.

    Example:
        >>> from manex import Rotation
        >>> Rotation(frames=50).frames
        50
    """


def rotation(cfg: Rotation, raw: Images) -> LatentVideos:
    """Digits turned anticlockwise through the full circle, `cfg.frames` equal steps (3.6 degrees for 100).

    Raises:
        ValueError: fewer training digits than asked for.

    Example:
        >>> import numpy as np
        >>> from manex import Images, Rotation, rotation
        >>> digits = np.zeros((3, 28, 28), np.uint8)
        >>> made = rotation(Rotation(frames=10, dense=50), Images(videos=digits, others=digits[:0]))
        >>> made.videos.shape, made.unit
        ((3, 10, 1, 20, 20), 'degrees')
    """

    def circle(samples: int) -> NDArray[np.float64]:
        return np.arange(samples, dtype=np.float64) * 360 / samples

    def moved(digits: NDArray[np.uint8], dense: int) -> LatentVideos:
        return along(digits, _turn, circle(cfg.frames), circle(dense), "degrees", period=360.0)

    return with_others(moved, raw, cfg)


def _turn(degrees: float) -> NDArray[np.float64]:
    """Inverse map of a turn about the centre of the padded frame, in (column, row, 1)."""
    c, s, centre = np.cos(np.radians(degrees)), np.sin(np.radians(degrees)), SIZE - 0.5
    return np.array(
        [[c, -s, centre - c * centre + s * centre], [s, c, centre - s * centre - c * centre], [0.0, 0.0, 1.0]]
    )

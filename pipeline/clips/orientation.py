"""Pictures as a viewer shows them: turned and mirrored as their file says, in the numbers 1-8 of EXIF."""

from __future__ import annotations

import numpy as np

from pipeline.clips.levels import Picture

UPRIGHT = 1
_MATRICES = {
    (1, 0, 0, 1): 1,
    (-1, 0, 0, 1): 2,
    (-1, 0, 0, -1): 3,
    (1, 0, 0, -1): 4,
    (0, 1, 1, 0): 5,
    (0, 1, -1, 0): 6,
    (0, -1, -1, 0): 7,
    (0, -1, 1, 0): 8,
}
"""By a, b, c, d of a display matrix: the point (x, y) is shown at (a x + c y, b x + d y), y downwards."""


def turned(picture: Picture, orientation: int) -> Picture:
    """The picture upright.

    Args:
        orientation: as in EXIF (CIPA DC-008, tag 274); what is not 1-8 is taken for 1, as viewers do.
    """
    if orientation in (5, 6, 7, 8):
        picture = picture.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        picture = picture[:, ::-1]
    if orientation in (3, 4, 7, 8):
        picture = picture[::-1]
    return np.ascontiguousarray(picture)


def of_matrix(matrix: bytes) -> int:
    """The orientation that a video's display matrix stands for.

    Args:
        matrix: nine integers of 32 bits, row by row; a, b, c, d are in 1/65536.

    Raises:
        ValueError: it turns by no right angle.
    """
    a, b, _, c, d = np.frombuffer(matrix, np.int32)[:5] / 65536
    rounded = tuple(round(float(number)) for number in (a, b, c, d))
    if rounded not in _MATRICES or np.abs(np.array((a, b, c, d)) - rounded).max() > 0.01:
        raise ValueError("its display matrix turns it by no right angle; convert it, such as to MP4")
    return _MATRICES[rounded]

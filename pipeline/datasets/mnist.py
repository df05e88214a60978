"""Videos of a digit on a known one-dimensional manifold: turned about its centre, or shifted sideways (A.4)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from skimage.transform import warp

from pipeline.config.data import Rotated, Translated
from pipeline.datasets.videos import LatentVideos

SIZE = 20
"""Side of a frame in pixels: the centre crop of MNIST's 28, the box its digits were drawn into."""


def rotated(digits: NDArray[np.uint8], cfg: Rotated) -> LatentVideos:
    """Digits turned anticlockwise through the full circle, `cfg.frames` equal steps (3.6 degrees for 100).

    Args:
        digits: (digit, 28, 28) MNIST images, 0-255.
    """

    def circle(samples: int) -> NDArray[np.float64]:
        return np.arange(samples, dtype=np.float64) * 360 / samples

    return _along(digits, _turn, circle(cfg.frames), circle(cfg.dense), "degrees", period=360.0)


def translated(digits: NDArray[np.uint8], cfg: Translated) -> LatentVideos:
    """Digits shifted from -reach to +reach pixels in `cfg.frames` steps of 2 reach / frames (0.12 for 100).

    Args:
        digits: (digit, 28, 28) MNIST images, 0-255.
    """
    step = 2 * cfg.reach / cfg.frames
    shifts = -cfg.reach + step * np.arange(cfg.frames, dtype=np.float64)
    dense = np.linspace(shifts[0], shifts[-1], cfg.dense, dtype=np.float64)
    return _along(digits, _shift, shifts, dense, "pixels", period=None)


Motion = Callable[[float], NDArray[np.float64]]


def _along(
    digits: NDArray[np.uint8],
    motion: Motion,
    coordinates: NDArray[np.float64],
    dense: NDArray[np.float64],
    unit: str,
    period: float | None,
) -> LatentVideos:
    return LatentVideos(
        videos=np.stack([_video(digit, motion, coordinates) for digit in digits]),
        coordinates=coordinates,
        dense=np.stack([_video(digit, motion, dense) for digit in digits]),
        dense_coordinates=dense,
        unit=unit,
        period=period,
    )


def _video(digit: NDArray[np.uint8], motion: Motion, coordinates: NDArray[np.float64]) -> NDArray[np.float32]:
    """The centre crop with zeros around it, moved, cropped again: strokes leave the frame instead of breaking off."""
    crop = digit[4:24, 4:24] / 255.0
    around = np.pad(crop, SIZE // 2)
    frames = [warp(around, motion(c), order=1)[10:30, 10:30] for c in coordinates]
    return np.stack(frames)[:, None].clip(0, 1).astype(np.float32)


def _turn(degrees: float) -> NDArray[np.float64]:
    """Inverse map of a turn about the centre of the padded frame, in (column, row, 1)."""
    c, s, centre = np.cos(np.radians(degrees)), np.sin(np.radians(degrees)), SIZE - 0.5
    return np.array(
        [[c, -s, centre - c * centre + s * centre], [s, c, centre - s * centre - c * centre], [0.0, 0.0, 1.0]]
    )


def _shift(pixels: float) -> NDArray[np.float64]:
    """Inverse map of a shift to the right."""
    return np.array([[1.0, 0.0, -pixels], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])

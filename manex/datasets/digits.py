"""Videos of a digit on a known one-dimensional manifold (A.4): what rotation and translation share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from skimage.transform import warp

from manex.datasets.base import Latent, Raw
from manex.datasets.videos import LatentVideos

SIZE = 20
"""Side of a frame in pixels: the centre crop of MNIST's 28, the box its digits were drawn into."""
DENSE_OTHERS = 10
"""Least samples of a manifold; that of training digits is not used."""


class Digits(Latent):
    """Videos made by moving each digit along a known one-dimensional latent."""

    source: ClassVar[Raw | None] = "mnist"

    train_digits: int = Field(
        0, ge=0, description="protocol held_out: train on this many of fetch.mnist.others; 0: on the videos' own digits"
    )


@dataclass(frozen=True)
class Images:
    """MNIST images, (digit, 28, 28), 0-255: those of the videos, and others to train on."""

    videos: NDArray[np.uint8]
    others: NDArray[np.uint8]


Motion = Callable[[float], NDArray[np.float64]]


def along(
    digits: NDArray[np.uint8],
    motion: Motion,
    coordinates: NDArray[np.float64],
    dense: NDArray[np.float64],
    unit: str,
    period: float | None,
) -> LatentVideos:
    """The videos of some digits, each moved along the coordinates of a latent."""
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


def with_others(moved: Callable[[NDArray[np.uint8], int], LatentVideos], raw: Images, cfg: Digits) -> LatentVideos:
    """The digits' videos; with `train_digits`, also the frames of other digits moved in the same way.

    Args:
        moved: makes the videos of some digits, with a number of dense samples.

    Raises:
        ValueError: there are fewer other digits.
    """
    made = moved(raw.videos, cfg.dense)
    if not cfg.train_digits:
        return made
    trained = others(raw, cfg.train_digits)
    note = f"trained on {len(trained)} other digits; those of the videos were never seen"
    return replace(made, others=moved(trained, DENSE_OTHERS).videos, note=note)


def others(raw: Images, count: int) -> NDArray[np.uint8]:
    """The first of the other digits.

    Raises:
        ValueError: there are fewer.
    """
    if len(raw.others) < count:
        raise ValueError(f"train_digits: {count} of {len(raw.others)} digits; raise fetch.mnist.others")
    return raw.others[:count]


def crops(digits: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The centre crops as frames, (digit, 1, size, size), grey levels in [0, 1]."""
    return (digits[:, None, 4:24, 4:24] / 255.0).astype(np.float32)

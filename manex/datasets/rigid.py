"""Digits turned and shifted at once: three motions, and every video is a combination of its own."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PositiveFloat, PositiveInt

from manex.datasets.digits import SIZE, Digits, Images, along, others
from manex.datasets.videos import LatentVideos

Array = NDArray[np.float64]
_GOLDEN = np.pi * (3 - 5**0.5)


class Rigid(Digits):
    """Each digit turned about a centre of its own; trained on other digits, turned and shifted at random.

    A set that a turn and a shift leave as it is must also allow the shift across, their Lie bracket. So there are three
    motions, and a video's two given frames say which combination of them it is.

    Example:
        >>> from manex.datasets.rigid import Rigid
        >>> Rigid(reach=3).train_digits
        10
    """

    train_digits: PositiveInt = Field(10, description="train on this many of fetch.mnist.others")
    poses: PositiveInt = Field(1000, description="frames to train on per digit")
    reach: PositiveFloat = Field(2, description="the longest shift, in pixels")


def rigid(cfg: Rigid, raw: Images) -> LatentVideos:
    """Videos anticlockwise through the full circle, `cfg.frames` equal steps; training frames without any order.

    Raises:
        ValueError: fewer training digits than asked for.

    Example:
        >>> import numpy as np
        >>> from manex import Images
        >>> from manex.datasets.rigid import Rigid, rigid
        >>> digits = np.zeros((3, 28, 28), np.uint8)
        >>> made = rigid(Rigid(frames=10, dense=50, train_digits=2, poses=7), Images(videos=digits, others=digits))
        >>> made.videos.shape, made.frames.shape
        ((3, 10, 1, 20, 20), (14, 1, 20, 20))
    """
    coarse, fine = (np.arange(count, dtype=np.float64) * 360 / count for count in (cfg.frames, cfg.dense))
    made = [
        along(digit[None], partial(_about, centre), coarse, fine, "degrees", period=360.0)
        for digit, centre in zip(raw.videos, centres(len(raw.videos), cfg.reach), strict=True)
    ]
    trained = [
        _drawn(digit, np.random.default_rng(number), cfg) for number, digit in enumerate(others(raw, cfg.train_digits))
    ]
    return LatentVideos(
        videos=np.concatenate([one.videos for one in made]),
        coordinates=coarse,
        dense=np.concatenate([one.dense for one in made]),
        dense_coordinates=fine,
        unit="degrees",
        period=360.0,
        others=np.concatenate(trained),
        note=f"trained on {cfg.train_digits} other digits in {cfg.poses} poses each, in no order",
    )


def centres(videos: int, reach: float) -> Array:
    """Where each video turns: columns and rows from the middle, spread over a disc so that no shift exceeds `reach`."""
    number = np.arange(videos)
    radius, angle = reach / 2 * np.sqrt((number + 0.5) / videos), _GOLDEN * number
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)


def _drawn(digit: NDArray[np.uint8], rng: np.random.Generator, cfg: Rigid) -> NDArray[np.float32]:
    """One clip of one frame for every pose: uniform over the angles and a disc of shifts."""
    turns, angles = rng.uniform(0, 360, cfg.poses), rng.uniform(0, 2 * np.pi, cfg.poses)
    radius = cfg.reach * np.sqrt(rng.random(cfg.poses))
    shifts = np.stack([radius * np.cos(angles), radius * np.sin(angles)], 1)
    number = np.arange(cfg.poses, dtype=np.float64)
    moved = along(digit[None], lambda n: _pose(turns[int(n)], shifts[int(n)]), number, number[:1], "", None)
    return moved.videos.swapaxes(0, 1)


def _about(centre: Array, degrees: float) -> Array:
    """Inverse map of a turn about another centre: the digit's middle moves on a circle."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return _pose(degrees, centre - np.array([[c, s], [-s, c]]) @ centre)


def _pose(degrees: float, shift: Array) -> Array:
    """Inverse map of a turn about the middle and a shift after it, in (column, row, 1) of the padded frame."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    back, middle = np.array([[c, -s], [s, c]]), np.full(2, SIZE - 0.5)
    return np.vstack([np.column_stack([back, middle - back @ (middle + shift)]), [0, 0, 1]])

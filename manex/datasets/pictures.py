"""From decoded pictures to frames: grey or colour, square, of any size; the whole, or a crop that follows a person."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d  # type: ignore[attr-defined]
from skimage.color import rgb2gray
from skimage.transform import resize, warp

Picture = NDArray[Any]
"""(height, width, 3), RGB, uint8 or uint16; black is 0, white the highest value of its type."""
Pictures = Iterable[Picture]
"""All of one size. One at a time: a clip need not fit into memory."""
Frames = NDArray[np.float32]
"""(frame, channel, size, size), [0, 1]; one channel for grey, three for colour."""

MARGIN = 1.15
"""Side of a crop, divided by the largest side of the person in the clip."""
SMOOTHING = 4.0
"""Standard deviation, in frames, of the filter that smooths the path of the crop's centre."""
FINE = 4
"""Samples per pixel and axis when a crop is taken: their mean is the pixel."""
BIG = 256
"""From this side on, a picture that is shrunk to half or less is averaged over areas: smoothing would cost seconds."""


def whole(pictures: Pictures, size: int, colour: bool) -> Frames:
    """The central square of every picture."""
    frames = []
    for picture in pictures:
        side = min(picture.shape[:2])
        top, left = ((length - side) // 2 for length in picture.shape[:2])
        square = picture[top : top + side, left : left + side]
        white = np.iinfo(picture.dtype).max
        big = side >= max(BIG, 2 * size)
        frames.append(_channels(_area_means(square, size) / white if big else _resized(square / white, size), colour))
    return np.stack(frames)


def followed(pictures: Pictures, masks: NDArray[np.uint8], size: int, colour: bool) -> Frames:
    """A square around the person in every picture: one side for the whole clip, the centre smoothed over time.

    Beyond the picture its border is repeated. Positions are not rounded to pixels, so that the crop does not jitter.

    Args:
        masks: (frame, height, width), above zero where the person is.

    Raises:
        ValueError: the masks are not as many or as large as the pictures, or show nobody.
    """
    clip = np.stack(list(pictures))
    if masks.shape != clip.shape[:3]:
        raise ValueError(f"masks of shape {masks.shape} for pictures of shape {clip.shape[:3]}")
    centres, side = person_boxes(masks)
    steady = _steadied(centres)
    step = side / (FINE * size)
    frames = []
    for picture, (row, column) in zip(clip, steady, strict=True):
        first = np.array([column, row]) + (step - side) / 2
        map_to = np.array([[step, 0, first[0]], [0, step, first[1]], [0, 0, 1.0]])
        fine = warp(picture / 255, map_to, order=1, mode="edge", output_shape=(FINE * size, FINE * size))
        frames.append(_channels(_means(fine, FINE), colour))
    return np.stack(frames)


def silhouettes(masks: NDArray[np.uint8], size: int) -> Frames:
    """Masks as white figures on black, centred in a square; grey where a pixel is partly covered."""
    side = max(masks.shape[1:])
    around = [((side - n) // 2, side - n - (side - n) // 2) for n in masks.shape[1:]]
    square = np.pad((masks > 0).astype(np.float64), ((0, 0), *around))
    shrunk = np.stack([_resized(mask[..., None], size) for mask in square])
    return shrunk.transpose(0, 3, 1, 2).clip(0, 1).astype(np.float32)


def person_boxes(masks: NDArray[np.uint8]) -> tuple[NDArray[np.float64], float]:
    """The centre (row, column) of the person in every frame, in pixels, and the side of a square that holds all of it.

    A frame without a person takes its centre from its neighbours.

    Raises:
        ValueError: nobody in any frame.
    """
    centres, sides = np.full((len(masks), 2), np.nan), []
    for index, mask in enumerate(masks):
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        if len(rows):
            centres[index] = (rows[0] + rows[-1]) / 2, (columns[0] + columns[-1]) / 2
            sides.append(max(np.ptp(rows), np.ptp(columns)) + 1)
    seen = np.flatnonzero(~np.isnan(centres[:, 0]))
    if not len(seen):
        raise ValueError("the masks show nobody")
    places = np.arange(len(masks))
    filled = np.stack([np.interp(places, seen, centres[seen, axis]) for axis in (0, 1)], 1)
    return filled, MARGIN * float(max(sides))


def _steadied(centres: NDArray[np.float64]) -> NDArray[np.float64]:
    """A smoothed path. It is continued at both ends with its own velocity, so that a steady walk does not change."""
    around = int(4 * SMOOTHING)
    longer = np.pad(centres, ((around, around), (0, 0)), mode="reflect", reflect_type="odd")
    smooth: NDArray[np.float64] = gaussian_filter1d(longer, SMOOTHING, axis=0)[around:-around]
    return smooth


def _resized(picture: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    """A square picture at another size: by means of whole blocks if it divides, otherwise smoothed and interpolated."""
    if picture.shape[0] % size == 0:
        return _means(picture, picture.shape[0] // size)
    smaller: NDArray[np.float64] = resize(picture, (size, size), order=1, anti_aliasing=picture.shape[0] > size)
    return smaller


def _area_means(picture: Picture, size: int) -> NDArray[np.float64]:
    """The mean of the area that each new pixel covers, parts of pixels by their share: block means of any ratio."""
    rows = _area_sums(picture, size)
    means: NDArray[np.float64] = _area_sums(rows.swapaxes(0, 1), size).swapaxes(0, 1) / (len(picture) / size) ** 2
    return means


def _area_sums(lines: NDArray[Any], size: int) -> NDArray[np.float64]:
    """Sums of `size` equal parts of the first axis."""
    starts, rest = np.divmod(np.arange(size) * len(lines), size)  # exact: where a part begins, in 1/size of a line
    ends, kind = [*starts[1:], len(lines)], np.uint32 if lines.dtype.kind == "u" else np.float64
    sums = np.stack([lines[start:end].sum(0, dtype=kind) for start, end in zip(starts, ends, strict=True)])
    cut = lines[starts] * (rest / size).reshape(-1, *[1] * (lines.ndim - 1))  # the share of the part before
    parts: NDArray[np.float64] = sums - cut + np.concatenate([cut[1:], np.zeros_like(cut[:1])])
    return parts


def _means(picture: NDArray[np.float64], block: int) -> NDArray[np.float64]:
    side, channels = picture.shape[0] // block, picture.shape[2]
    means: NDArray[np.float64] = picture.reshape(side, block, side, block, channels).mean((1, 3))
    return means


def _channels(picture: NDArray[np.float64], colour: bool) -> NDArray[np.float32]:
    """Channels first; grey levels are luminance (ITU-R BT.709)."""
    chosen: NDArray[np.float64] = picture if colour else rgb2gray(picture)[..., None]
    return chosen.transpose(2, 0, 1).clip(0, 1).astype(np.float32)

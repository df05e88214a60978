"""Optical motion between two frames, as a map of pixel positions, for the rivals that warp.

A motion is a backward map b: the later frame at x shows what the earlier one shows at b(x), so u_1(x) = u_0(b(x)).
Steady motion continues with the same b, u_(t+1)(x) = u_1(b^t(x)): positions are mapped again and again, and the image
is sampled once. Positions are (row, column) in pixels from the frame's centre.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field, PositiveFloat, PositiveInt
from scipy.linalg import expm, logm
from scipy.ndimage import gaussian_filter, map_coordinates  # type: ignore[attr-defined] # named at run time only
from scipy.optimize import least_squares
from skimage.registration import optical_flow_ilk, optical_flow_tvl1

from manex.arrays import Frames
from manex.settings import Section

Image = Float[np.ndarray, "channel height width"]
Positions = Float[np.ndarray, "2 height width"]
Motion = Callable[[Positions], Positions]

_STEPS = 4


class Optical(Section):
    """How the motion between two frames is estimated, and how frames are sampled."""

    motion: Literal["affine", "tvl1", "ilk"] = Field("affine", description="estimator")
    speed: PositiveFloat = Field(1.0, description="of the motion, in units of the one between the given frames")
    blur: float = Field(0.5, ge=0, description="Gaussian blur before estimation, pixels")
    radius: PositiveInt = Field(7, description="ilk: of the window, pixels")
    spline: int = Field(3, ge=1, le=5, description="order of the interpolation")
    outside: Literal["black", "edge"] = Field("black", description="what is seen beyond the frame")


def motions(first: Frames, second: Frames, cfg: Optical) -> list[Motion]:
    """The motion of every item, by the estimator that the settings name."""
    estimate = affine_motion if cfg.motion == "affine" else dense_motion
    return [estimate(*pair, cfg) for pair in zip(to_images(first), to_images(second), strict=True)]


def affine_motion(first: Image, second: Image, cfg: Optical) -> Motion:
    """b(x) = A x + c by least squares over all pixels of both frames, blurred by `cfg.blur`; its power b^speed.

    Lucas and Kanade's registration (1981) with six parameters. The real power of the homogeneous matrix B is
    exp(speed log B): the motion is taken as the flow of an affine velocity field.
    """
    before, after = (gaussian_filter(image, (0, cfg.blur, cfg.blur)) for image in (first, second))
    grid = positions(first.shape[1:])
    scale = np.array([[2 / grid.shape[1], 2 / grid.shape[2], 1.0]])  # so that all six move a pixel about as far

    def matrix(parameters: Float[np.ndarray, " 6"]) -> Float[np.ndarray, "3 3"]:
        return np.asarray(np.eye(3) + np.concatenate([parameters.reshape(2, 3) * scale, np.zeros((1, 3))]))

    def residuals(parameters: Float[np.ndarray, " 6"]) -> Float[np.ndarray, " pixel"]:
        return np.asarray((sample(before, _affine(matrix(parameters), grid), cfg) - after).ravel())

    found = matrix(least_squares(residuals, np.zeros(6)).x)  # type: ignore[operator] # mypy takes it for a module
    power = np.real(expm(cfg.speed * logm(found)))
    return lambda at: _affine(power, at)


def dense_motion(first: Image, second: Image, cfg: Optical) -> Motion:
    """b(x) = x + w(x), with w by TV-L1 (Zach, Pock, Bischof 2007) or iterative Lucas-Kanade (Le Besnerais 2005).

    scikit-image's implementations, on the mean of the channels. Beyond the frame w continues as at its edge. It is
    followed for `speed` frames in four steps.
    """
    before, after = (gaussian_filter(image.mean(0), cfg.blur) for image in (first, second))
    if cfg.motion == "tvl1":
        field = optical_flow_tvl1(after, before, dtype=np.float64)
    else:
        field = optical_flow_ilk(after, before, radius=cfg.radius, gaussian=True, dtype=np.float64)

    def moved(at: Positions) -> Positions:
        for _ in range(_STEPS):
            index = at + _centre(first.shape[1:])
            step = [map_coordinates(part, index, order=1, mode="nearest") for part in field]
            at = at + cfg.speed / _STEPS * np.stack(step)
        return at

    return moved


def _affine(matrix: Float[np.ndarray, "3 3"], at: Positions) -> Positions:
    return np.asarray(np.einsum("ij,j...->i...", matrix[:2, :2], at) + matrix[:2, 2, None, None])


def carried(first: Frames, second: Frames, cfg: Optical) -> Iterator[Frames]:
    """What follows `second`, endlessly, if the motion between the two frames continues."""
    walks = [steady(b, image, cfg) for b, image in zip(motions(first, second, cfg), to_images(second), strict=True)]
    while True:
        yield to_frames([next(walk) for walk in walks], second)


def steady(motion: Motion, image: Image, cfg: Optical) -> Iterator[Image]:
    """What follows `image` if the motion continues, each frame sampled once from it."""
    at = positions(image.shape[1:])
    while True:
        at = motion(at)
        yield sample(image, at, cfg)


def sample(image: Image, at: Positions, cfg: Optical) -> Image:
    """The image at some positions, by splines; outside it is black, or as at the edge."""
    mode = "grid-constant" if cfg.outside == "black" else "nearest"
    index = at + _centre(image.shape[1:])
    return np.stack([map_coordinates(channel, index, order=cfg.spline, mode=mode) for channel in image])


def positions(size: tuple[int, ...]) -> Positions:
    """Positions of a frame's pixels, from its centre."""
    return np.asarray(np.indices(size) - _centre(size))


def to_images(frames: Frames) -> Iterator[Image]:
    """Each item as float64."""
    yield from frames.detach().cpu().double().numpy()


def to_frames(images: list[Image], like: Frames) -> Frames:
    """The items as one batch, clipped to the grey range, which splines overshoot."""
    return torch.from_numpy(np.stack(images)).to(like).clamp(0, 1)


def _centre(size: tuple[int, ...]) -> Float[np.ndarray, "2 1 1"]:
    return np.asarray((np.array(size, dtype=np.float64).reshape(2, 1, 1) - 1) / 2)

"""Warping by one affine map that registers the two frames (Lucas and Kanade 1981)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from manex.arrays import Frames
from manex.extrapolators.base import Walk, WalkState, first_velocity
from manex.motion.optical import Optical, carried
from manex.noises.draws import ItemNoise


class AffineFlow(Walk, Optical):
    """One affine map registers the two frames; its powers carry the second one on.

    Source: Lucas and Kanade (1981). Takes no model.

    Example:
        >>> from manex import AffineFlow, ItemNoise
        >>> from manex.extrapolators.walk import walk
        >>> first = torch.zeros(1, 1, 16, 16)
        >>> first[..., 5:11, 4:9] = 1
        >>> second = first.roll(1, 3)
        >>> third = next(walk(AffineFlow(), None, first, second, ItemNoise([(0,)]))).frame
        >>> bool((third - first.roll(2, 3)).abs().mean() < 0.02)
        True
    """

    motion: Literal["affine"] = "affine"


def affine_flow(model: None, first: Frames, second: Frames, cfg: AffineFlow, noise: ItemNoise) -> Iterator[WalkState]:
    """u_1 moved endlessly by the same motion, each frame sampled once from u_1.

    What lies outside u_1 cannot come into view: it is black.

    Args:
        first, second: clean frames in [0, 1].
    """
    first_velocity(first, second)
    for frame in carried(first, second, cfg):
        yield WalkState(frame)

"""Warping by dense optical flow between the two frames, held steady."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from manex.arrays import Frames
from manex.extrapolators.base import Walk, WalkState, first_velocity
from manex.motion.optical import Optical, carried
from manex.noises.draws import ItemNoise


class DenseFlow(Walk, Optical):
    """Optical flow between the two frames, held steady, carries the second one on.

    Source: TV-L1 (Zach, Pock, Bischof 2007) or iterative Lucas-Kanade (Le Besnerais, Champagnat 2005). Takes no model.

    Example:
        >>> from manex import DenseFlow, ItemNoise
        >>> from manex.extrapolators.walk import walk
        >>> video = torch.rand(2, 1, 16, 16, generator=torch.Generator().manual_seed(0))
        >>> next(walk(DenseFlow(), None, video[:1], video[1:], ItemNoise([(0,)]))).frame.shape
        torch.Size([1, 1, 16, 16])
    """

    motion: Literal["tvl1", "ilk"] = "tvl1"


def dense_flow(model: None, first: Frames, second: Frames, cfg: DenseFlow, noise: ItemNoise) -> Iterator[WalkState]:
    """u_1 moved endlessly by the same motion, each frame sampled once from u_1.

    What lies outside u_1 cannot come into view: it is black.

    Args:
        first, second: clean frames in [0, 1].
    """
    first_velocity(first, second)
    for frame in carried(first, second, cfg):
        yield WalkState(frame)

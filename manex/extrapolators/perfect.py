"""The floor: the true motion at constant speed. What is left of DTW-SSID is the price of another number of frames."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import ClassVar

from pydantic import Field, PositiveFloat

from manex.arrays import Frames
from manex.denoisers.truth import Truth
from manex.extrapolators.base import Walk, WalkState
from manex.noises.draws import ItemNoise


class Perfect(Walk):
    """The true frames, at constant speed until the last of the video. Takes a `Truth`.

    Example:
        >>> from itertools import islice
        >>> from manex import Dataset, ItemNoise, Perfect, Truth, Walker, walker
        >>> from manex.extrapolators.walk import walk
        >>> dataset = Dataset.of(walker(Walker(people=2, frames=8, dense=80, size=16)), held_out=0)
        >>> first, second = dataset.videos[:, 0], dataset.videos[:, 1]
        >>> states = walk(Perfect(speed=1), Truth.of(dataset), first, second, ItemNoise([(0,), (1,)]))
        >>> bool((next(states).frame - dataset.videos[:, 2]).abs().max() < 0.05)
        True
    """

    takes: ClassVar[type] = Truth
    default_model: ClassVar[str] = "truth"
    default_block: ClassVar[str] = "manifold"

    speed: PositiveFloat = Field(description="steps of the true video per frame")


def perfect(model: Truth, first: Frames, second: Frames, cfg: Perfect, noise: ItemNoise) -> Iterator[WalkState]:
    """The samples of the true manifold nearest to u_1 + n speed steps, endlessly; the last frame is repeated.

    Raises:
        GeometryError: a frame that begins none of the true videos.
    """
    video, (samples, latent) = model.videos_of(first), (model.samples.tolist(), model.dense.shape[1])
    last = len(samples) - 1
    for n in count(1):
        at = min(1 + n * cfg.speed, last)
        before = min(int(at), last - 1)
        step = (samples[before + 1] - samples[before]) % latent
        nearest = round(samples[before] + (at - before) * step) % latent
        yield WalkState(model.dense[video, nearest].to(first))

"""Drawing noise. All randomness is drawn on the CPU, so that devices agree on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Generator

from manex.arrays import Frames, onto
from manex.noises.base import Noise
from manex.noises.white import White


def noise_like(frames: Frames, generator: Generator, law: Noise = White()) -> Frames:  # noqa: B008 - frozen
    """Noise of unit variance, of the frames' shape and device."""
    return law.colour(onto(torch.randn(frames.shape, generator=generator, dtype=frames.dtype), frames.device))


class ItemNoise:
    """Noise with a stream of its own for every item of a batch.

    An item's noise depends on its key alone, not on what else is in the batch: trials and videos can be run together
    or apart.

    Args:
        keys: one tuple of non-negative integers per item, such as (trial seed, video).
        law: of the noise; take it from the denoiser (`denoiser.noise`).

    Example:
        >>> from manex import ItemNoise
        >>> frames = torch.zeros(2, 1, 4, 4)
        >>> both = ItemNoise([(0, 0), (0, 1)]).like(frames)
        >>> bool((both[1] == ItemNoise([(0, 1)]).like(frames[:1])[0]).all())
        True
    """

    def __init__(self, keys: Sequence[Sequence[int]], law: Noise = White()) -> None:  # noqa: B008 - frozen
        states = [np.random.SeedSequence(list(key)).generate_state(1, np.uint64)[0] for key in keys]
        self.generators = [Generator().manual_seed(int(state) >> 1) for state in states]
        self.law = law

    def like(self, frames: Frames) -> Frames:
        """Noise of unit variance, one draw per item."""
        draws = [torch.randn(frames.shape[1:], generator=g, dtype=frames.dtype) for g in self.generators]
        return self.law.colour(onto(torch.stack(draws), frames.device))

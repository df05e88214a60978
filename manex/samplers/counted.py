"""The end of a sampler, and what it cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import torch
from jaxtyping import Int
from torch import Tensor

from manex.samplers.base import SampleState, last


def counted(states: Iterable[SampleState]) -> tuple[SampleState, Int[Tensor, " batch"]]:
    """The last state, and how often the denoiser was asked for each item.

    Raises:
        ValueError: there is no state.
    """
    calls: list[Tensor] = []

    def seen() -> Iterator[SampleState]:
        for state in states:
            calls.append(state.going.int())
            yield state

    end = last(seen())
    return end, 1 + torch.stack(calls).sum(0)

"""In which order cells run: what others wait for longest comes first. And how long that takes in all."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


def ways_to_go(upstream: Mapping[T, Sequence[T]], seconds: Mapping[T, float]) -> dict[T, float]:
    """Of every cell, its seconds and those of the longest chain of cells that wait for it.

    Args:
        upstream: what each cell waits for, cells of the same mapping, in an order in which they could run.
    """
    left = {cell: seconds[cell] for cell in upstream}
    for cell in reversed(list(upstream)):
        for other in upstream[cell]:
            left[other] = max(left[other], seconds[other] + left[cell])
    return left


@dataclass(frozen=True)
class Course:
    """How a run goes by the clock.

    Attributes:
        seconds: from start to end.
        memory_mb: the most that cells at work hold at once.
        alone: seconds in which one cell runs while nothing else is left to do beside it.
    """

    seconds: float
    memory_mb: float
    alone: float


def course(
    upstream: Mapping[T, Sequence[T]],
    seconds: Mapping[T, float],
    workers: int,
    memory: Mapping[T, float],
    begun: Mapping[T, float] | None = None,
) -> Course:
    """Play a run: `workers` cells at a time, those with the longest way to go first.

    Args:
        begun: seconds since when cells have been at work.
    """
    begun = begun or {}
    left = ways_to_go(upstream, seconds)
    waits = {cell: {other for other in others if other in upstream} for cell, others in upstream.items()}
    order = {cell: position for position, cell in enumerate(upstream)}
    ready = [(cell not in begun, -left[cell], order[cell], cell) for cell, others in waits.items() if not others]
    heapq.heapify(ready)
    at_work: list[tuple[float, int, T]] = []
    now = most = alone = 0.0
    while ready or at_work:
        while ready and len(at_work) < workers:
            cell = heapq.heappop(ready)[3]
            heapq.heappush(at_work, (now + max(0.0, seconds[cell] - begun.get(cell, 0.0)), order[cell], cell))
        most = max(most, sum(memory[cell] for _, _, cell in at_work))
        end, _, cell = heapq.heappop(at_work)
        if not at_work and workers > 1:
            alone += end - now
        now = end
        for other, others in waits.items():
            if cell in others:
                others.discard(cell)
                if not others:
                    heapq.heappush(ready, (other not in begun, -left[other], order[other], other))
    return Course(now, most, alone)

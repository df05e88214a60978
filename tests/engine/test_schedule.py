from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.engine.schedule import course, ways_to_go

DIAMOND = {"first": [], "long": ["first"], "short": ["first"], "last": ["long", "short"]}
SECONDS = {"first": 1.0, "long": 5.0, "short": 2.0, "last": 1.0}


def played(workers: int) -> tuple[float, float, float]:
    found = course(DIAMOND, SECONDS, workers, dict.fromkeys(DIAMOND, 100.0))
    return found.seconds, found.memory_mb, found.alone


def test_the_way_to_go_is_the_longest_chain_of_cells_that_wait() -> None:
    assert ways_to_go(DIAMOND, SECONDS) == {"first": 7, "long": 6, "short": 3, "last": 1}


@pytest.mark.parametrize(("workers", "expected"), [(1, (9, 100, 0)), (2, (7, 200, 5))])
def test_a_course_by_hand(workers: int, expected: tuple[float, float, float]) -> None:
    """On two: 1 s `first` alone, 2 s both, 3 s `long` alone, 1 s `last` alone."""
    assert played(workers) == expected


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=6), st.integers(1, 3))
def test_longest_first_is_never_a_third_longer_than_the_best(lengths: list[float], workers: int) -> None:
    """Graham 1969: 4/3 - 1/(3m) of the optimum for independent cells."""
    cells = {str(n): length for n, length in enumerate(lengths)}
    found = course(dict.fromkeys(cells, ()), cells, workers, dict.fromkeys(cells, 0.0)).seconds
    best = min(greedy(order, workers) for order in permutations(lengths))
    assert best - 1e-9 <= found <= (4 / 3 - 1 / (3 * workers)) * best + 1e-9


def greedy(lengths: tuple[float, ...], workers: int) -> float:
    ends = [0.0] * workers
    for length in lengths:
        ends[ends.index(min(ends))] += length
    return max(ends)

from __future__ import annotations

from itertools import islice

import torch

from manex.extrapolators.persistence import Persistence
from manex.extrapolators.walk import walk
from manex.noises.draws import ItemNoise


def test_persistence_repeats_the_second_frame_even_where_nothing_moves(generator: torch.Generator) -> None:
    first, second = torch.rand(2, 3, 1, 4, 4, generator=generator)
    for before in (first, second):
        states = walk(Persistence(), None, before, second, ItemNoise([(0, 0)]))
        assert all(torch.equal(state.frame, second) for state in islice(states, 4))

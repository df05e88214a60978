from __future__ import annotations

from itertools import islice

import pytest
import torch

from manex.errors import WalkError
from manex.extrapolators.pixel_linear import PixelLinear
from manex.extrapolators.walk import walk
from manex.noises.draws import ItemNoise

NOISE = ItemNoise([(0, 0)])


def test_pixel_linear_continues_a_ramp_exactly_and_stops_at_black_and_white() -> None:
    ramp = torch.tensor([0.1, 0.5, 0.9, 0.2]).reshape(1, 1, 2, 2)
    velocity = torch.tensor([0.1, -0.1, 0.05, 0.0]).reshape(1, 1, 2, 2)
    states = walk(PixelLinear(), None, ramp, ramp + velocity, NOISE)
    for t, state in enumerate(islice(states, 4), 2):
        torch.testing.assert_close(state.frame, (ramp + t * velocity).clamp(0, 1))


def test_pixel_linear_needs_a_velocity() -> None:
    frame = torch.rand(1, 1, 3, 3)
    with pytest.raises(WalkError, match=r"video 0: .*identical"):
        next(walk(PixelLinear(), None, frame, frame, NOISE))

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from pipeline.config.methods import Method
from pipeline.config.rivals import Persistence, PixelLinear
from manex.extrapolators.base import ItemNoise, WalkError
from manex.extrapolators.walk import walk
from manex.networks.vae import VAE

STILL = Persistence(algorithm="persistence", frames=4)
LINEAR = PixelLinear(algorithm="pixel_linear", frames=4)


def walked(cfg: Method, first: Tensor, second: Tensor) -> Tensor:
    return torch.stack([state.frame for state in walk(cfg, None, first, second, ItemNoise([(0, 0)]))], 1)


def test_persistence_repeats_the_second_frame_even_where_nothing_moves(generator: torch.Generator) -> None:
    first, second = torch.rand(2, 3, 1, 4, 4, generator=generator)
    assert torch.equal(walked(STILL, first, second), second[:, None].expand(-1, 4, -1, -1, -1))
    assert torch.equal(walked(STILL, second, second), second[:, None].expand(-1, 4, -1, -1, -1))


def test_pixel_linear_continues_a_ramp_exactly_and_stops_at_black_and_white() -> None:
    ramp = torch.tensor([0.1, 0.5, 0.9, 0.2]).reshape(1, 1, 2, 2)
    velocity = torch.tensor([0.1, -0.1, 0.05, 0.0]).reshape(1, 1, 2, 2)
    found = walked(LINEAR, ramp, ramp + velocity)
    expected = torch.stack([(ramp + t * velocity).clamp(0, 1) for t in range(2, 6)], 1)
    torch.testing.assert_close(found, expected)


def test_pixel_linear_needs_a_velocity() -> None:
    frame = torch.rand(1, 1, 3, 3)
    with pytest.raises(WalkError, match=r"video 0: .*identical"):
        walked(LINEAR, frame, frame)


def test_a_model_of_the_wrong_kind_is_refused() -> None:
    frame = torch.rand(1, 1, 4, 4)
    with pytest.raises(TypeError, match="persistence takes a model of kind NoneType, not VAE"):
        list(walk(STILL, VAE(1, 4, 3), frame, frame, ItemNoise([(0, 0)])))

from __future__ import annotations

from itertools import islice

import pytest
import torch
from lines import line
from torch import Tensor

from manex.errors import WalkError
from manex.extrapolators.mcvd import MCVD
from manex.extrapolators.walk import walk
from manex.networks.conditional import ConditionalUNet
from manex.noises.draws import ItemNoise

DRAWN = MCVD(steps=12)


class Line(ConditionalUNet):
    """The exact denoiser of a next frame that is Gaussian: around 2 u_1 - u_0, with a given deviation."""

    def __init__(self, deviation: float, together: int = 1) -> None:
        super().__init__(together, (4,), given=2)
        self.deviation = deviation

    def forward(self, noisy: Tensor, sigmas: Tensor, given: Tensor | None = None) -> Tensor:
        assert given is not None
        steps = torch.arange(1, self.channels + 1).reshape(1, -1, 1, 1)
        mean = given[:, 1:] + steps * (given[:, 1:] - given[:, :1])
        share = self.deviation**2 / (self.deviation**2 + sigmas**2)
        return mean + share * (noisy - mean)


def walked(cfg: MCVD, network: ConditionalUNet, given: Tensor, keys: list[tuple[int, int]], frames: int = 5) -> Tensor:
    states = walk(cfg, network, given[:, 0], given[:, 1], ItemNoise(keys))
    return torch.stack([state.frame for state in islice(states, frames)], 1)


@pytest.mark.parametrize("together", [1, 2, 3])
@pytest.mark.parametrize("speed", [1.0, 2.0, 3.0])
def test_where_the_past_leaves_no_doubt_the_one_future_is_drawn(together: int, speed: float) -> None:
    every, cfg = line(3, 17), DRAWN.model_copy(update={"speed": speed})
    found = walked(cfg, Line(0.0, together), every, [(0, 0), (0, 1), (0, 2)])
    step = int(speed)
    torch.testing.assert_close(found, every[:, 1 + step :: step][:, :5], rtol=0, atol=1e-9)


def test_a_speed_that_is_not_whole_shows_the_nearest_frames() -> None:
    every, cfg = line(2, 17), DRAWN.model_copy(update={"speed": 2.6})
    found = walked(cfg, Line(0.0), every, [(0, 0), (0, 1)])
    torch.testing.assert_close(found, every[:, [4, 6, 9, 11, 14]], rtol=0, atol=1e-9)


def test_draws_have_the_mean_and_the_deviation_of_the_conditional_distribution() -> None:
    """The flow from noise of level s takes x to m + (d^2 / (d^2 + s^2))^(1/2) (x - m): exact as the steps grow."""
    deviation, high, count = 0.05, 500 / 255, 400
    given = line(1, 2).expand(count, -1, -1, -1, -1)
    cfg = MCVD(steps=400, sigma_max=500 / 255, sigma_min=1 / 255)
    found = walked(cfg, Line(deviation), given, [(0, item) for item in range(count)], 1)[:, 0]
    gain = (deviation**2 / (deviation**2 + high**2)) ** 0.5
    mean = (1 - gain) * (2 * given[:, 1] - given[:, 0])
    spread = gain * high
    error = found - mean
    assert abs(error.mean().item()) < 4 * spread / error.numel() ** 0.5 + 1e-4
    assert error.std().item() == pytest.approx(spread, rel=0.05)


def test_draws_differ_by_seed_and_not_by_company() -> None:
    every, keys = line(3, 2), [(0, 0), (0, 1), (0, 2)]
    network = Line(0.05)
    together = walked(DRAWN, network, every, keys)
    assert torch.equal(together, walked(DRAWN, network, every, keys))
    assert (together - walked(DRAWN, network, every, [(7, 0), (7, 1), (7, 2)])).abs().amax() > 1e-2
    for item in range(3):
        alone = walked(DRAWN, network, every[item : item + 1], keys[item : item + 1])
        torch.testing.assert_close(alone[0], together[item], rtol=0, atol=1e-8)


def test_two_frames_without_a_velocity_are_refused() -> None:
    with pytest.raises(WalkError, match="identical"):
        walked(DRAWN, Line(0.0), line(1, 1).expand(1, 2, 1, 4, 4), [(0, 0)])

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from pipeline.config.rivals import MCVD, RNNODE, Supervised
from manex.extrapolators.base import ItemNoise, WalkError
from manex.extrapolators.walk import walk
from manex.networks import rnn_ode as networks
from manex.networks.conditional import ConditionalUNet

DRAWN = MCVD(algorithm="mcvd", frames=5, steps=12)
ODE = RNNODE(algorithm="rnn_ode", frames=5)


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


class Turning(networks.RNNODE):
    """Its code is the two given pixels; the ODE turns it by a tenth of a radian a frame."""

    def encode(self, clips: Tensor) -> Tensor:
        return clips[:, 1, 0, 0, :2]

    def decode(self, codes: Tensor) -> Tensor:
        return codes.reshape(-1, 1, 1, 2).repeat(1, 1, 2, 1)


def line(count: int, frames: int) -> Tensor:
    """Straight motions, shape (item, frame, 1, 4, 4), within the grey range."""
    generator = Generator().manual_seed(7)
    start = 0.4 + 0.2 * torch.rand(count, 1, 1, 4, 4, generator=generator, dtype=torch.float64)
    velocity = 0.004 * torch.randn(count, 1, 1, 4, 4, generator=generator, dtype=torch.float64)
    return start + torch.arange(frames).reshape(1, -1, 1, 1, 1) * velocity


def walked(cfg: Supervised, network: torch.nn.Module, given: Tensor, keys: list[tuple[int, int]]) -> Tensor:
    return torch.stack([s.frame for s in walk(cfg, network, given[:, 0], given[:, 1], ItemNoise(keys))], 1)  # type: ignore[arg-type]


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
    cfg = MCVD(algorithm="mcvd", frames=1, steps=400, sigma_max_255=500, sigma_min_255=1)
    found = walked(cfg, Line(deviation), given, [(0, item) for item in range(count)])[:, 0]
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


@pytest.mark.parametrize("speed", [1.0, 1.85, 2.6])
def test_the_ode_is_followed_at_the_pace_that_is_asked_for(speed: float) -> None:
    network = Turning(1, 2, 2, 4).double()
    network.motion = torch.nn.Linear(2, 2, bias=False).double()  # type: ignore[assignment]
    network.motion.weight.data.copy_(torch.tensor([[0.0, -0.1], [0.1, 0.0]]))
    given = torch.zeros(1, 2, 1, 2, 2, dtype=torch.float64)
    given[0, 1, 0, 0, 0] = 0.5
    found = walked(ODE.model_copy(update={"speed": speed}), network, given, [(0, 0)])
    angles = 0.1 * speed * torch.arange(1, 6).double()
    expected = 0.5 * torch.stack([angles.cos(), angles.sin()], 1)
    torch.testing.assert_close(found[0, :, 0, 0], expected, rtol=0, atol=1e-6)


def test_a_latent_ode_is_without_chance_and_company() -> None:
    torch.manual_seed(7)
    network, every = networks.RNNODE(1, 4, 3, 8).double().eval(), line(3, 2)
    together = walked(ODE, network, every, [(0, 0), (0, 1), (0, 2)])
    assert together.shape == (3, 5, 1, 4, 4)
    assert torch.equal(together, walked(ODE, network, every, [(7, 0), (7, 1), (7, 2)]))
    torch.testing.assert_close(walked(ODE, network, every[1:2], [(0, 1)])[0], together[1], rtol=0, atol=1e-9)


@pytest.mark.parametrize("cfg", [DRAWN, ODE], ids=lambda cfg: cfg.algorithm)
def test_two_frames_without_a_velocity_are_told(cfg: Supervised) -> None:
    network = Line(0.0) if isinstance(cfg, MCVD) else networks.RNNODE(1, 4, 3, 8).double().eval()
    still = line(1, 1).expand(1, 2, 1, 4, 4)
    with pytest.raises(WalkError, match="identical"):
        walked(cfg, network, still, [(0, 0)])

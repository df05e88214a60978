from __future__ import annotations

from itertools import islice

import pytest
import torch
from lines import line
from torch import Tensor

from manex.errors import WalkError
from manex.extrapolators.rnn_ode import RNNODE
from manex.extrapolators.walk import walk
from manex.networks import rnn_ode as networks
from manex.noises.draws import ItemNoise

ODE = RNNODE()


class Turning(networks.RNNODE):
    """Its code is the two given pixels; the ODE turns it by a tenth of a radian per frame."""

    def encode(self, clips: Tensor) -> Tensor:
        return clips[:, 1, 0, 0, :2]

    def decode(self, codes: Tensor) -> Tensor:
        return codes.reshape(-1, 1, 1, 2).repeat(1, 1, 2, 1)


def walked(
    cfg: RNNODE, network: networks.RNNODE, given: Tensor, keys: list[tuple[int, int]], frames: int = 5
) -> Tensor:
    states = walk(cfg, network, given[:, 0], given[:, 1], ItemNoise(keys))
    return torch.stack([state.frame for state in islice(states, frames)], 1)


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


def test_two_frames_without_a_velocity_are_refused() -> None:
    network = networks.RNNODE(1, 4, 3, 8).double().eval()
    with pytest.raises(WalkError, match="identical"):
        walked(ODE, network, line(1, 1).expand(1, 2, 1, 4, 4), [(0, 0)])

from __future__ import annotations

import math
from itertools import islice, pairwise

import pytest
import torch
from torch import Generator, Tensor

from manex.networks.rnn_ode import RNNODE, rk4


@pytest.fixture
def network() -> RNNODE:
    torch.manual_seed(7)
    return RNNODE(1, 20, 5, 8).double().eval()


@pytest.fixture
def clips(generator: Generator) -> Tensor:
    return torch.rand(3, 2, 1, 20, 20, generator=generator, dtype=torch.float64)


def linear(generator: Generator) -> tuple[Tensor, Tensor]:
    """A stable linear motion of the plane and more, and where it starts."""
    matrix = torch.randn(4, 4, generator=generator, dtype=torch.float64)
    return matrix - matrix.T - 0.1 * torch.eye(4).double(), torch.randn(2, 4, generator=generator, dtype=torch.float64)


def error(steps: int, generator: Generator) -> float:
    """At time 1, after so many steps."""
    matrix, start = linear(generator)
    found = next(islice(rk4(lambda z: z @ matrix.T, start, 1 / steps), steps - 1, None))
    return float((found - start @ torch.linalg.matrix_exp(matrix).T).norm())


def test_the_solver_follows_the_matrix_exponential_with_order_four() -> None:
    errors = [error(steps, Generator().manual_seed(5)) for steps in (16, 32, 64)]
    orders = [math.log2(coarse / fine) for coarse, fine in pairwise(errors)]
    assert orders == pytest.approx([4, 4], abs=0.2)
    assert errors[-1] < 1e-5


def test_polynomials_of_degree_four_in_time_are_solved_exactly() -> None:
    """d/dt (t, t^2, t^3, t^4) = (1, 2 t, 3 t^2, 4 t^3), a linear motion."""

    def motion(z: Tensor) -> Tensor:
        return torch.stack([torch.ones_like(z[:, 0]), *(k * z[:, k - 2] for k in (2, 3, 4))], 1)

    found = next(rk4(motion, torch.zeros(1, 4, dtype=torch.float64), 1.7))
    torch.testing.assert_close(
        found, torch.tensor([[1.7, 1.7**2, 1.7**3, 1.7**4]], dtype=torch.float64), rtol=1e-12, atol=0
    )


@pytest.mark.parametrize("size", [16, 20, 33])
@pytest.mark.parametrize("channels", [1, 3])
def test_clips_become_codes_and_codes_frames(size: int, channels: int) -> None:
    network = RNNODE(channels, size, 5, 8).eval()
    codes = network.encode(torch.rand(2, 2, channels, size, size))
    assert codes.shape == (2, 5)
    assert network.decode(codes).shape == (2, channels, size, size)


def test_decoded_frames_are_grey_levels_however_far_the_code(network: RNNODE, generator: Generator) -> None:
    frames = network.decode(1e4 * torch.randn(8, 5, generator=generator, dtype=torch.float64))
    assert frames.min() >= 0
    assert frames.max() <= 1


def test_the_order_of_the_given_frames_matters(network: RNNODE, clips: Tensor) -> None:
    assert (network.encode(clips) - network.encode(clips.flip(1))).abs().amax() > 1e-4


def test_a_clip_does_not_feel_the_others_in_its_batch(network: RNNODE, clips: Tensor) -> None:
    torch.testing.assert_close(network.encode(clips), torch.cat([network.encode(one) for one in clips.split(1)]))

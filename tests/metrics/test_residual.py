"""The residual against linear denoisers, for which it is a distance that can be written down."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from manex.denoisers.base import Denoiser
from manex.metrics.residual import SIGMA, Residual
from manex.noises.free_field import FreeField


class Projection(Denoiser):
    """Onto a random plane of pixels: D(y) = P y."""

    def __init__(self, dimension: int, pixels: int, generator: Generator) -> None:
        super().__init__()
        basis = torch.linalg.qr(torch.randn(pixels, dimension, generator=generator, dtype=torch.float64)).Q
        self.matrix = basis @ basis.T
        self.seen: list[float] = []

    def forward(self, noisy: Tensor, sigma: float) -> Tensor:
        self.seen.append(sigma)
        return (noisy.flatten(1) @ self.matrix.T).reshape(noisy.shape)


class Identity(Denoiser):
    def forward(self, noisy: Tensor, sigma: float) -> Tensor:
        return noisy


def frames(count: int, generator: Generator) -> Tensor:
    return torch.rand(count, 1, 4, 5, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("coloured", [False, True])
def test_of_a_projection_it_is_the_distance_to_the_plane_whatever_the_noise(
    generator: Generator, coloured: bool
) -> None:
    denoiser = Projection(3, 20, generator)
    if coloured:
        denoiser.noise = FreeField(gamma=0.5)
    held_out, others = frames(30, generator), frames(150, generator)

    def distance(some: Tensor) -> np.ndarray:
        return (some.flatten(1) - some.flatten(1) @ denoiser.matrix).norm(dim=1).numpy() / math.sqrt(20)

    found = Residual.of(denoiser, held_out)(others).numpy()
    np.testing.assert_allclose(found, distance(others) / np.quantile(distance(held_out), 0.95), rtol=1e-12)


def test_one_in_twenty_of_the_held_out_frames_is_above_the_unit(generator: Generator) -> None:
    held_out = frames(200, generator)
    assert int((Residual.of(Projection(3, 20, generator), held_out)(held_out) > 1).sum()) == 10


def test_it_depends_on_the_frame_alone(generator: Generator) -> None:
    """Not on what else is measured, nor on the order, beyond the last digits of a matrix product."""

    class Bent(Projection):
        def forward(self, noisy: Tensor, sigma: float) -> Tensor:
            return super().forward(noisy.sin(), sigma).tanh()  # no mirrored noise cancels in it

    residual = Residual.of(Bent(3, 20, generator), frames(10, generator))
    some = frames(100, generator)
    torch.testing.assert_close(residual(some.flip(0)).flip(0), residual(some), rtol=1e-12, atol=0)
    torch.testing.assert_close(residual(some[70:71]), residual(some)[70:71], rtol=1e-12, atol=0)


@pytest.mark.parametrize(("trained", "expected"), [(None, SIGMA), ((0.0, 60 / 255), SIGMA), ((0.0, 0.01), 0.01)])
def test_no_more_noise_than_the_denoiser_was_trained_on(
    trained: tuple[float, float] | None, expected: float, generator: Generator
) -> None:
    denoiser = Projection(3, 20, generator)
    denoiser.sigma_range = trained
    Residual.of(denoiser, frames(4, generator))
    assert set(denoiser.seen) == {expected}


def test_without_held_out_frames_or_a_change_of_them_there_is_no_unit(generator: Generator) -> None:
    with pytest.raises(ValueError, match="no frame is held out"):
        Residual.of(Projection(3, 20, generator), frames(0, generator))
    black = torch.zeros(3, 1, 4, 5, dtype=torch.float64)

    class Black(Identity):
        def forward(self, noisy: Tensor, sigma: float) -> Tensor:
            return torch.zeros_like(noisy)

    with pytest.raises(ValueError, match="leaves held-out frames unchanged"):
        Residual.of(Black(), black)

from __future__ import annotations

import math

import pytest
import torch
from scipy.fft import dctn
from torch import Generator

from manex.denoisers.tikhonov import Tikhonov
from manex.geometry.products import Jacobian

SIGMA, STRENGTH = 0.2, 30.0


def differences(height: int, width: int) -> torch.Tensor:
    """All forward differences of a flattened image, one per row: the gradient without boundary."""
    rows = []
    index = torch.arange(height * width).reshape(height, width)
    for here, there in ((index[:-1], index[1:]), (index[:, :-1], index[:, 1:])):
        for a, b in zip(here.flatten(), there.flatten(), strict=True):
            row = torch.zeros(height * width, dtype=torch.float64)
            row[a], row[b] = -1, 1
            rows.append(row)
    return torch.stack(rows)


def test_the_denoiser_is_the_minimiser_of_its_energy(generator: Generator) -> None:
    """(I + strength sigma^2 G^T G) D(y) = y, with the gradient G written out."""
    y = torch.rand(2, 3, 4, 5, generator=generator, dtype=torch.float64)
    gradient = differences(4, 5)
    system = torch.eye(20, dtype=torch.float64) + STRENGTH * SIGMA**2 * gradient.T @ gradient
    expected = torch.linalg.solve(system, y.flatten(2).reshape(6, 20).T).T.reshape(y.shape)
    torch.testing.assert_close(Tikhonov(STRENGTH)(y, SIGMA), expected)


@pytest.mark.parametrize("backend", ["closed_form", "vjp"])
def test_the_jacobian_is_symmetric_with_the_eigenvalues_of_the_cosine_transform(
    backend: str, generator: Generator
) -> None:
    y = torch.rand(1, 1, 4, 5, generator=generator, dtype=torch.float64)
    dense = Jacobian(Tikhonov(STRENGTH).at(SIGMA), y, backend).dense()[0]
    torch.testing.assert_close(dense, dense.T)
    waves = [
        (2 - 2 * math.cos(math.pi * i / 4)) + (2 - 2 * math.cos(math.pi * j / 5)) for i in range(4) for j in range(5)
    ]
    expected = torch.tensor([1 / (1 + STRENGTH * SIGMA**2 * wave) for wave in waves], dtype=torch.float64)
    torch.testing.assert_close(torch.linalg.eigvalsh(dense), expected.sort().values)


def test_each_frequency_is_damped_on_its_own(generator: Generator) -> None:
    y = torch.rand(1, 1, 4, 5, generator=generator, dtype=torch.float64)
    before, after = (dctn(image.numpy()[0, 0], norm="ortho") for image in (y, Tikhonov(STRENGTH)(y, SIGMA)))
    gain = 1 / (1 + STRENGTH * SIGMA**2 * ((2 - 2 * math.cos(math.pi * 2 / 4)) + (2 - 2 * math.cos(math.pi * 3 / 5))))
    assert after[2, 3] == pytest.approx(gain * before[2, 3])
    assert after[0, 0] == pytest.approx(before[0, 0])

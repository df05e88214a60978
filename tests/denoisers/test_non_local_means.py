from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Generator

from manex.denoisers.non_local_means import NonLocalMeans
from manex.geometry.products import Jacobian

SIGMA = 0.1


def test_weights_are_those_of_the_formula_written_out(generator: Generator) -> None:
    y = torch.rand(1, 2, 5, 6, generator=generator, dtype=torch.float64)
    image = np.pad(y[0].numpy(), ((0, 0), (1, 1), (1, 1)), mode="reflect")
    expected = np.zeros((2, 5, 6))
    for i in range(5):
        for j in range(6):
            total = 0.0
            for k in range(max(0, i - 2), min(5, i + 3)):
                for m in range(max(0, j - 2), min(6, j + 3)):
                    d = np.mean((image[:, i : i + 3, j : j + 3] - image[:, k : k + 3, m : m + 3]) ** 2)
                    weight = np.exp(-max(d - 2 * SIGMA**2, 0) / (0.8 * SIGMA) ** 2)
                    expected[:, i, j] += weight * y[0, :, k, m].numpy()
                    total += weight
            expected[:, i, j] /= total
    found = NonLocalMeans(0.8, 3, reach=2)(y, SIGMA)[0].numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_a_repeated_texture_is_averaged_over_its_repeats(generator: Generator) -> None:
    tile = torch.rand(4, 4, generator=generator, dtype=torch.float64).repeat(6, 6)
    noisy = tile + 0.05 * torch.randn(tile.shape, generator=generator, dtype=torch.float64)
    found = NonLocalMeans(0.6, 3, reach=24)(noisy[None, None], 0.05)[0, 0]
    assert (found - tile)[2:-2, 2:-2].std() < 0.5 * (noisy - tile).std()


def test_products_are_those_of_finite_differences(generator: Generator) -> None:
    y = torch.rand(2, 1, 5, 4, generator=generator, dtype=torch.float64)
    denoiser = NonLocalMeans(3.0).at(SIGMA)
    exact, approximate = Jacobian(denoiser, y).dense(), Jacobian(denoiser, y, "finite_difference").dense()
    torch.testing.assert_close(exact, approximate, rtol=0, atol=1e-4)


def test_without_noise_there_is_nothing_to_denoise() -> None:
    with pytest.raises(ValueError, match="above 0"):
        NonLocalMeans()(torch.zeros(1, 1, 4, 4), 0.0)


def test_a_patch_has_a_middle() -> None:
    with pytest.raises(ValueError, match="odd"):
        NonLocalMeans(patch=4)

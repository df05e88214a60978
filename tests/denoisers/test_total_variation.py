from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.restoration import denoise_tv_chambolle
from torch import Generator

from manex.denoisers.total_variation import TotalVariation
from manex.geometry.products import Jacobian

SIGMA = 0.1


@pytest.mark.parametrize("iterations", [1, 7, 40])
def test_iterations_are_those_of_scikit_image(iterations: int, generator: Generator) -> None:
    """Which counts the input as its first."""
    y = torch.rand(2, 1, 6, 7, generator=generator, dtype=torch.float64)
    found = TotalVariation(2.0, iterations)(y, SIGMA)
    expected = [denoise_tv_chambolle(f[0].numpy(), 2.0 * SIGMA, eps=0, max_num_iter=iterations + 1) for f in y]
    np.testing.assert_allclose(found[:, 0].numpy(), np.stack(expected), rtol=0, atol=1e-9)


def test_a_step_loses_height_at_once_but_stays_a_step() -> None:
    """The minimiser for a step of one on halves of n columns: each side moves by weight / n towards the other."""
    y = torch.zeros(1, 1, 8, 8, dtype=torch.float64)
    y[..., 4:] = 1
    found = TotalVariation(1.0, 3000)(y, SIGMA)[0, 0]
    expected = torch.cat([torch.full((8, 4), SIGMA / 4), torch.full((8, 4), 1 - SIGMA / 4)], 1).double()
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-3)


def test_a_flat_image_stays_as_it_is() -> None:
    y = torch.full((1, 1, 5, 5), 0.3, dtype=torch.float64)
    torch.testing.assert_close(TotalVariation()(y, SIGMA), y)
    assert Jacobian(TotalVariation().at(SIGMA), y).dense().isfinite().all()


def test_without_noise_there_is_nothing_to_denoise() -> None:
    with pytest.raises(ValueError, match="above 0"):
        TotalVariation()(torch.zeros(1, 1, 4, 4), 0.0)


def test_products_are_those_of_finite_differences(generator: Generator) -> None:
    y = torch.rand(2, 1, 5, 4, generator=generator, dtype=torch.float64)
    denoiser = TotalVariation(0.6, 20).at(SIGMA)
    exact, approximate = Jacobian(denoiser, y).dense(), Jacobian(denoiser, y, "finite_difference").dense()
    torch.testing.assert_close(exact, approximate, rtol=0, atol=1e-4)
    assert Jacobian(denoiser, y).exact

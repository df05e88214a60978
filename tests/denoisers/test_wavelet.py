from __future__ import annotations

import torch
from torch import Generator, Tensor

from manex.denoisers.wavelet import Wavelet
from manex.geometry.products import Jacobian

SIGMA = 0.2
HAAR = torch.tensor([[1.0, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]], dtype=torch.float64) / 2
"""The orthonormal Haar transform of a 2 x 2 block."""


def by_blocks(image: Tensor, threshold: float) -> Tensor:
    """One level of orthonormal Haar shrinkage of an even-sized image."""
    height, width = image.shape
    blocks = image.reshape(height // 2, 2, width // 2, 2).permute(0, 2, 1, 3).reshape(-1, 4)
    coefficients = blocks @ HAAR.T
    details = coefficients[:, 1:]
    coefficients[:, 1:] = details.sign() * (details.abs() - threshold).clamp(min=0)
    return (coefficients @ HAAR).reshape(height // 2, width // 2, 2, 2).permute(0, 2, 1, 3).reshape(height, width)


def test_one_level_is_the_mean_over_all_shifts_of_orthonormal_shrinkage(generator: Generator) -> None:
    y = torch.rand(6, 8, generator=generator, dtype=torch.float64)
    shifts = [(i, j) for i in (0, 1) for j in (0, 1)]
    expected = sum(by_blocks(y.roll(s, (0, 1)), 1.5 * SIGMA).roll((-s[0], -s[1]), (0, 1)) for s in shifts) / 4
    torch.testing.assert_close(Wavelet(1.5, levels=1)(y[None, None], SIGMA)[0, 0], expected)


def test_without_a_threshold_the_transform_gives_the_image_back(generator: Generator) -> None:
    y = torch.rand(2, 3, 7, 5, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(Wavelet(0.0, levels=3)(y, SIGMA), y)


def test_a_shifted_image_is_denoised_alike(generator: Generator) -> None:
    y = torch.rand(1, 1, 8, 8, generator=generator, dtype=torch.float64)
    shifted = Wavelet()(y.roll((3, 5), (2, 3)), SIGMA)
    torch.testing.assert_close(shifted, Wavelet()(y, SIGMA).roll((3, 5), (2, 3)))


def test_a_detail_of_white_noise_has_the_deviation_that_sets_the_threshold(generator: Generator) -> None:
    """With a threshold of 6 deviations at three levels nothing is left but the coarse mean: deviation sigma / 8."""
    y = SIGMA * torch.randn(1, 1, 128, 128, generator=generator, dtype=torch.float64)
    assert Wavelet(6.0, levels=3)(y, SIGMA).std().item() < SIGMA / 8
    assert Wavelet(1.0, levels=1)(y, SIGMA).std().item() > 0.3 * SIGMA


def test_products_are_those_of_finite_differences_and_the_jacobian_is_symmetric(generator: Generator) -> None:
    y = torch.rand(2, 1, 4, 6, generator=generator, dtype=torch.float64)
    exact, approximate = (
        Jacobian(Wavelet().at(SIGMA), y, backend).dense() for backend in ("auto", "finite_difference")
    )
    torch.testing.assert_close(exact, approximate, rtol=0, atol=1e-6)
    torch.testing.assert_close(exact, exact.mT)

from __future__ import annotations

import pytest
import torch

from manex.denoisers.wiener import Wiener
from manex.geometry.products import Jacobian

SIGMA = 0.7


@pytest.fixture(params=[5, 40])
def frames(request, generator):
    """Fewer and more frames than pixels."""
    return torch.randn(request.param, 1, 3, 4, generator=generator, dtype=torch.float64) + 2


def gain(frames):
    x = frames.flatten(1)
    covariance = torch.cov(x.T, correction=0)
    return covariance @ torch.linalg.inv(covariance + SIGMA**2 * torch.eye(12, dtype=torch.float64))


def test_the_denoiser_is_the_gaussian_posterior_mean(frames, generator):
    y = torch.randn(3, 1, 3, 4, generator=generator, dtype=torch.float64)
    mean = frames.mean(0).flatten()
    expected = (mean + (y.flatten(1) - mean) @ gain(frames).T).reshape(y.shape)
    torch.testing.assert_close(Wiener(frames)(y, SIGMA), expected)


def test_tweedie_holds_with_the_score_of_the_gaussian(frames, generator):
    y = torch.randn(1, 1, 3, 4, generator=generator, dtype=torch.float64).requires_grad_()
    covariance = torch.cov(frames.flatten(1).T, correction=0) + SIGMA**2 * torch.eye(12, dtype=torch.float64)
    density = torch.distributions.MultivariateNormal(frames.mean(0).flatten(), covariance).log_prob(y.flatten())
    (score,) = torch.autograd.grad(density, y)
    torch.testing.assert_close(Wiener(frames)(y, SIGMA).detach(), y.detach() + SIGMA**2 * score)


@pytest.mark.parametrize("backend", ["closed_form", "linearized"])
def test_the_jacobian_is_the_same_gain_everywhere(frames, backend, generator):
    y = torch.randn(2, 1, 3, 4, generator=generator, dtype=torch.float64)
    jacobian = Jacobian(Wiener(frames).at(SIGMA), y, backend)
    torch.testing.assert_close(jacobian.dense(), gain(frames).expand(2, -1, -1))


def test_frames_that_are_all_equal_denoise_to_themselves(generator):
    frame = torch.rand(1, 1, 3, 4, generator=generator, dtype=torch.float64)
    y = torch.randn(2, 1, 3, 4, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(Wiener(frame.expand(3, -1, -1, -1))(y, SIGMA), frame.expand(2, -1, -1, -1))


def test_too_few_frames_and_no_noise_are_refused():
    with pytest.raises(ValueError, match="at least two"):
        Wiener(torch.zeros(1, 1, 2, 2))
    with pytest.raises(ValueError, match="above 0"):
        Wiener(torch.eye(4).reshape(4, 1, 2, 2))(torch.zeros(1, 1, 2, 2), -1.0)

"""Plug-and-play methods: with an exact Gaussian denoiser their fixed points are known."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Generator, Tensor

from manex import Denoiser
from manex.measurements.base import Measurement
from manex.measurements.random_basis import RandomBasis, random_basis
from manex.samplers.admm import ADMM, admm
from manex.samplers.base import SampleState, last
from manex.samplers.hqs import HQS, hqs
from manex.samplers.pgd import PGD, pgd
from manex.samplers.plug_and_play import Problem
from manex.samplers.red import RED, energy, red

SHAPE, SIGMA = (1, 3, 4), 0.3
Method = tuple[Callable[..., Iterator[SampleState]], Any]


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


class Gaussian(Denoiser):
    """Exact for N(mean, C)."""

    def __init__(self, mean: Tensor, covariance: Tensor) -> None:
        super().__init__()
        self.mean, self.covariance = mean, covariance

    def forward(self, noisy: Tensor, sigma: float) -> Tensor:
        eye = torch.eye(len(self.covariance), dtype=torch.float64)
        gain = torch.linalg.solve(self.covariance + sigma**2 * eye, self.covariance)
        return (self.mean + (noisy.flatten(1) - self.mean) @ gain).reshape(noisy.shape)


@pytest.fixture(scope="module")
def prior() -> Gaussian:
    mixed = normal(0, 12, 12) / 12**0.5
    return Gaussian(normal(1, 12), mixed @ mixed.T + 0.05 * torch.eye(12, dtype=torch.float64))


def posterior_mean(prior: Gaussian, measurement: Measurement, values: Tensor, noise: float, blur: float = 0) -> Tensor:
    eye = torch.eye(12, dtype=torch.float64)
    covariance, rows = prior.covariance + blur**2 * eye, measurement.rows
    inner = rows @ covariance @ rows.T + noise**2 * torch.eye(len(rows), dtype=torch.float64)
    apart = values - prior.mean @ rows.T
    return (prior.mean + torch.linalg.solve(inner, apart.T).T @ rows @ covariance).unflatten(1, SHAPE)


@pytest.mark.parametrize(
    ("method", "noise", "blur"),
    [
        ((pgd, PGD(sigma=SIGMA, steps=3000)), SIGMA, 0),
        ((pgd, PGD(sigma=SIGMA, steps=3000)), 2 * SIGMA, 0),
        ((admm, ADMM(sigma=SIGMA, steps=3000)), SIGMA, 0),
        ((admm, ADMM(sigma=SIGMA, steps=3000)), 0.1, 0),
        ((red, RED(sigma=SIGMA, steps=3000)), SIGMA, SIGMA),
        ((red, RED(sigma=SIGMA, steps=3000)), 0.1, SIGMA),
    ],
)
def test_the_fixed_point_is_the_mean_given_the_measurements(
    method: Method, noise: float, blur: float, prior: Gaussian
) -> None:
    measurement, values = random_basis(RandomBasis(share=0.5), SHAPE), normal(2, 2, 6)
    run, cfg = method
    found = last(run(prior, normal(3, 2, *SHAPE), cfg, Problem(measurement, values, noise)))
    torch.testing.assert_close(found.frame, posterior_mean(prior, measurement, values, noise, blur))
    assert not found.diverged.any()


def test_a_step_that_would_not_converge_is_shortened(prior: Gaussian) -> None:
    measurement, values = random_basis(RandomBasis(share=0.5), SHAPE), normal(2, 2, 6)
    found = last(pgd(prior, normal(3, 2, *SHAPE), PGD(sigma=SIGMA, steps=3000), Problem(measurement, values, 0.01)))
    torch.testing.assert_close(found.frame, posterior_mean(prior, measurement, values, SIGMA))


def test_half_quadratic_splitting_ends_near_the_mean_given_precise_measurements(prior: Gaussian) -> None:
    measurement, values = random_basis(RandomBasis(share=0.5), SHAPE), normal(2, 2, 6)
    cfg, problem = HQS(sigma_start=10, sigma_end=0.01, steps=2000), Problem(measurement, values, 0.001)
    found = last(hqs(prior, normal(3, 2, *SHAPE), cfg, problem))
    torch.testing.assert_close(measurement.measure(found.frame), values, atol=0.02, rtol=0)


def test_the_proximal_step_minimises(prior: Gaussian) -> None:
    measurement, values, frame = random_basis(RandomBasis(share=0.5), SHAPE), normal(2, 1, 6), normal(3, 1, *SHAPE)
    problem = Problem(measurement, values, 0.2)

    def cost(x: Tensor) -> Tensor:
        return (x - frame).square().sum() / SIGMA**2 + (values - measurement.measure(x)).square().sum() / 0.2**2

    best = problem.proximal(frame, SIGMA).requires_grad_()
    (gradient,) = torch.autograd.grad(cost(best), best)
    assert gradient.abs().max() < 1e-10


@pytest.mark.parametrize("symmetric", [True, False])
def test_the_steps_of_red_go_down_its_energy_only_for_a_symmetric_denoiser(symmetric: bool) -> None:
    mixed = normal(4, 12, 12) / 12
    matrix = mixed @ mixed.T if symmetric else mixed
    measurement, values, start = random_basis(RandomBasis(share=0.5), SHAPE), normal(2, 1, 6), normal(3, 1, *SHAPE)
    problem = Problem(measurement, values, 0.2)

    def denoised(frame: Tensor) -> Tensor:
        return (frame.flatten(1) @ matrix.T).reshape(frame.shape)

    place = start.requires_grad_()
    (uphill,) = torch.autograd.grad(energy(place, denoised(place), problem, SIGMA).sum(), place)
    downhill = problem.gap(start) / 0.2**2 + (denoised(start) - start) / SIGMA**2
    assert torch.allclose(-uphill, downhill) is symmetric


class Doubling(Denoiser):
    def forward(self, noisy: Tensor, sigma: float) -> Tensor:
        return 2 * noisy


@pytest.mark.parametrize("method", [(pgd, PGD()), (admm, ADMM()), (hqs, HQS()), (red, RED())])
def test_an_image_that_leaves_all_images_is_marked_and_stays_finite(method: Method) -> None:
    nothing = Measurement(torch.empty(0, 12, dtype=torch.float64), SHAPE)
    run, cfg = method
    found = last(run(Doubling(), normal(0, 2, *SHAPE), cfg, Problem(nothing, normal(0, 2, 0), 0.1)))
    assert found.diverged.all()
    assert found.frame.abs().max() <= 10


def test_levels_that_rise_are_refused() -> None:
    with pytest.raises(ValidationError, match="must not be above"):
        HQS(sigma_start=0.1, sigma_end=0.2)

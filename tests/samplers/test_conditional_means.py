"""Conditional means against dense algebra, and against what plug-and-play methods converge to."""

from __future__ import annotations

import torch
from gaussian import gaussian
from torch import Generator

from manex.denoisers.mixture import DiracMixture
from manex.measurements.pixels import Pixels, pixels
from manex.measurements.random_basis import RandomBasis, random_basis
from manex.samplers.base import last
from manex.samplers.conditional import gaussian_mean, mixture_mean
from manex.samplers.pgd import PGD, pgd
from manex.samplers.plug_and_play import Problem

SHAPE = (1, 4, 4)


def test_of_a_gaussian_it_is_the_best_affine_estimator(generator: Generator) -> None:
    prior, measurement = gaussian(generator), random_basis(RandomBasis(share=0.5), SHAPE)
    values = torch.randn(3, 8, generator=generator, dtype=torch.float64)
    covariance, rows = prior.axes.T @ prior.variances.diag() @ prior.axes, measurement.rows
    inner = rows @ covariance @ rows.T + 0.3**2 * torch.eye(8, dtype=torch.float64)
    apart = values - prior.mean.flatten() @ rows.T
    expected = prior.mean.flatten() + apart @ torch.linalg.inv(inner) @ rows @ covariance
    found = gaussian_mean(prior, Problem(measurement, values, 0.3))
    torch.testing.assert_close(found.flatten(1), expected)


def test_pgd_with_the_gaussians_denoiser_ends_there(generator: Generator) -> None:
    prior, measurement = gaussian(generator), random_basis(RandomBasis(share=0.5), SHAPE)
    problem = Problem(measurement, torch.randn(3, 8, generator=generator, dtype=torch.float64), 0.1)
    found = last(pgd(prior, torch.zeros(3, *SHAPE, dtype=torch.float64), PGD(sigma=0.1, steps=3000), problem))
    torch.testing.assert_close(found.frame, gaussian_mean(prior, problem))


def test_of_a_finite_set_it_weighs_the_images_by_how_they_fit(generator: Generator) -> None:
    atoms, measurement = torch.rand(7, *SHAPE, generator=generator, dtype=torch.float64), pixels(Pixels(), SHAPE)
    values = measurement.measure(torch.rand(2, *SHAPE, generator=generator, dtype=torch.float64))
    found = mixture_mean(DiracMixture(atoms), Problem(measurement, values, 0.4))
    for value, mean in zip(values, found, strict=True):
        fits = [(-(value - seen).square().sum() / (2 * 0.4**2)).exp() for seen in measurement.measure(atoms)]
        torch.testing.assert_close(mean, sum(fit * atom for fit, atom in zip(fits, atoms, strict=True)) / sum(fits))

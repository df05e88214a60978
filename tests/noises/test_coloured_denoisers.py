"""Closed forms under every law, against the mathematics written out densely."""

from __future__ import annotations

import pytest
import torch
from laws import LAWS, dense, name
from torch import Generator, Tensor

from manex.denoisers.base import Denoiser
from manex.denoisers.conditional import ConditionalDenoiser
from manex.denoisers.mixture import DiracMixture
from manex.denoisers.network import NetworkDenoiser
from manex.denoisers.tikhonov import Tikhonov
from manex.denoisers.wiener import Wiener
from manex.geometry.products import Jacobian
from manex.metrics.psnr import psnr
from manex.networks.conditional import ConditionalUNet
from manex.networks.unet import UNet
from manex.noises.base import Noise
from manex.noises.free_field import FreeField

SIGMA = 0.7
every_law = pytest.mark.parametrize("noise", LAWS, ids=name)


def draw(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def covariance(noise: Noise, height: int, width: int, channels: int = 1) -> Tensor:
    return torch.block_diag(*[dense(noise, height, width)] * channels)


@every_law
def test_tweedie_holds_for_the_mixture(noise: Noise, generator: Generator) -> None:
    """D(y) - y = sigma^2 S grad log p(y), the gradient by autograd of the log-sum-exp."""
    atoms, y = draw(generator, 20, 1, 4, 3), draw(generator, 3, 1, 4, 3).requires_grad_()
    S = covariance(noise, 4, 3)
    apart = (y.flatten(1)[:, None] - atoms.flatten(1)).unsqueeze(3)
    energies = (apart.mT @ torch.linalg.inv(S) @ apart).flatten(1)
    (score,) = torch.autograd.grad(torch.logsumexp(-energies / (2 * SIGMA**2), 1).sum(), y)
    found = DiracMixture(atoms, noise=noise)(y, SIGMA) - y
    expected = SIGMA**2 * (score.flatten(1) @ S).reshape(y.shape)
    torch.testing.assert_close(found.detach(), expected, rtol=0, atol=1e-9)


@every_law
def test_the_denoiser_of_a_gaussian_prior(noise: Noise, generator: Generator) -> None:
    """D = m + C (C + sigma^2 S)^-1 (y - m)."""
    frames, y = draw(generator, 40, 2, 3, 4), draw(generator, 5, 2, 3, 4)
    flat, S = frames.flatten(1), covariance(noise, 3, 4, 2)
    m, C = flat.mean(0), flat.T.cov(correction=0)
    gain = C @ torch.linalg.inv(C + SIGMA**2 * S)
    expected = (m + (y.flatten(1) - m) @ gain.T).reshape(y.shape)
    wiener = Wiener(frames, noise)
    torch.testing.assert_close(wiener(y, SIGMA), expected)
    torch.testing.assert_close(Jacobian(wiener.at(SIGMA), y).dense(), gain.expand(5, -1, -1))
    levels = torch.tensor([0.2, 0.4, 0.7, 1.0, 3.0], dtype=torch.float64).reshape(-1, 1, 1, 1)
    each = torch.cat([wiener(y[i : i + 1], float(level)) for i, level in enumerate(levels)])
    torch.testing.assert_close(wiener(y, levels), each)


@every_law
def test_the_jacobian_is_the_posterior_covariance_times_the_inverse(noise: Noise, generator: Generator) -> None:
    atoms, y = draw(generator, 15, 1, 3, 4), draw(generator, 4, 1, 3, 4)
    mixture, flat = DiracMixture(atoms, noise=noise), atoms.flatten(1)
    w = mixture.weights(y, SIGMA)
    means = w @ flat
    posterior = torch.einsum("bi,in,im->bnm", w, flat, flat) - means[:, :, None] * means[:, None]
    expected = posterior @ torch.linalg.inv(covariance(noise, 3, 4)) / SIGMA**2
    torch.testing.assert_close(Jacobian(mixture.at(SIGMA), y).dense(), expected)


def closed_forms(noise: Noise, generator: Generator) -> list[Denoiser]:
    frames = draw(generator, 15, 1, 3, 4)
    made: list[Denoiser] = [DiracMixture(frames, noise=noise), Wiener(frames, noise)]
    return [*made, Tikhonov()] if noise.is_white else made


@every_law
def test_products_with_both_jacobians_are_those_of_autograd(noise: Noise, generator: Generator) -> None:
    y, v = draw(generator, 4, 1, 3, 4), draw(generator, 4, 2, 1, 3, 4)
    for denoiser in closed_forms(noise, generator):
        for sigma in (SIGMA, torch.linspace(0.3, 2, 4, dtype=torch.float64).reshape(-1, 1, 1, 1)):
            own = Jacobian(denoiser.at(sigma), y, "closed_form")
            # one point at a time, so that autograd has no batch to mix
            levels = [sigma if isinstance(sigma, float) else sigma[i : i + 1] for i in range(4)]
            rows = [
                torch.func.jacrev(lambda p, s=s, d=denoiser: d(p[None], s)[0])(p).reshape(12, 12)
                for p, s in zip(y, levels, strict=True)
            ]
            matrix = torch.stack(rows)
            torch.testing.assert_close(own.dense(), matrix, rtol=1e-9, atol=1e-10)
            torch.testing.assert_close(own.jvp(v).flatten(2), v.flatten(2) @ matrix.mT, rtol=1e-9, atol=1e-10)
            torch.testing.assert_close(own.vjp(v).flatten(2), v.flatten(2) @ matrix, rtol=1e-9, atol=1e-10)
            symmetric = v.flatten(2) @ (matrix + matrix.mT) / 2
            torch.testing.assert_close(own.symmetric(v).flatten(2), symmetric, rtol=1e-9, atol=1e-10)


@every_law
def test_a_lone_atom_takes_all(noise: Noise, generator: Generator) -> None:
    atom, y = draw(generator, 1, 1, 3, 3), draw(generator, 2, 1, 3, 3)
    torch.testing.assert_close(DiracMixture(atom, noise=noise)(y, SIGMA), atom.expand(2, -1, -1, -1))


def test_the_exact_denoiser_of_a_law_is_the_best_under_it(generator: Generator) -> None:
    """Under its own noise the posterior mean beats the exact denoiser of white noise."""
    noise = FreeField(gamma=1)
    frames = torch.rand(30, 1, 8, 8, generator=generator)
    own, other = DiracMixture(frames, noise=noise), Taught(DiracMixture(frames), noise)
    assert psnr(own, frames, 0.4, draws=20) > psnr(other, frames, 0.4, draws=20)


class Taught(Denoiser):
    """A denoiser of white noise that is judged under another law."""

    def __init__(self, denoiser: Denoiser, noise: Noise) -> None:
        super().__init__()
        self.denoiser, self.noise = denoiser, noise

    def forward(self, noisy: Tensor, sigma: float) -> Tensor:
        return self.denoiser(noisy, sigma)


def test_networks_keep_the_law_they_are_given() -> None:
    law = FreeField(gamma=1)
    assert NetworkDenoiser(UNet(1, 2), noise=law).noise == law
    assert ConditionalDenoiser(ConditionalUNet(1, (4,)), noise=law).noise == law
    assert Denoiser.noise.is_white


def test_classical_denoisers_refuse_other_laws() -> None:
    with pytest.raises(ValueError, match="Tikhonov is made for white noise alone"):
        Tikhonov.of(None, FreeField(gamma=1))  # type: ignore[arg-type]

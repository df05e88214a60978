from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from manex.denoisers.mixture import DiracMixture
from manex.geometry.products import Jacobian

SIGMA = 0.7


def draw(generator, *shape):
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def posterior(atoms, y):
    """Mean and covariance of the atoms under softmax(-|y - x|^2 / (2 sigma^2)), written out for one point."""
    x, y = atoms.flatten(1), y.flatten()
    w = torch.softmax(-((y - x) ** 2).sum(1) / (2 * SIGMA**2), dim=0)
    mean = w @ x
    return mean, (x - mean).T @ (w[:, None] * (x - mean))


def test_the_denoiser_is_the_posterior_mean(generator):
    atoms, y = draw(generator, 20, 1, 3, 4), draw(generator, 5, 1, 3, 4)
    expected = torch.stack([posterior(atoms, p)[0] for p in y]).reshape(y.shape)
    torch.testing.assert_close(DiracMixture(atoms)(y, SIGMA), expected)


@pytest.mark.parametrize("backend", ["closed_form", "linearized", "vjp"])
def test_the_jacobian_is_the_posterior_covariance_over_sigma_squared(generator, backend):
    atoms, y = draw(generator, 20, 1, 3, 4), draw(generator, 5, 1, 3, 4)
    covariance = torch.stack([posterior(atoms, p)[1] for p in y])
    if backend == "linearized":  # a softmax over atoms has no linear rule: auto must not need one
        backend = "auto"
    torch.testing.assert_close(Jacobian(DiracMixture(atoms).at(SIGMA), y, backend).dense(), covariance / SIGMA**2)


def test_tweedie_holds_with_the_gradient_of_the_density(generator):
    atoms, y = draw(generator, 20, 1, 3, 4), draw(generator, 1, 1, 3, 4).requires_grad_()
    density = torch.logsumexp(-((y.flatten() - atoms.flatten(1)) ** 2).sum(1) / (2 * SIGMA**2), dim=0)
    (score,) = torch.autograd.grad(density, y)
    torch.testing.assert_close(DiracMixture(atoms)(y, SIGMA).detach(), y.detach() + SIGMA**2 * score)


def test_chunks_for_a_tiny_memory_limit_change_nothing(generator):
    atoms, y, v = draw(generator, 20, 1, 3, 4), draw(generator, 5, 1, 3, 4), draw(generator, 5, 2, 1, 3, 4)
    whole, parts = DiracMixture(atoms), DiracMixture(atoms, memory_limit=1)
    torch.testing.assert_close(parts(y, SIGMA), whole(y, SIGMA))
    torch.testing.assert_close(parts.jacobian_product(y, SIGMA, v), whole.jacobian_product(y, SIGMA, v))


@settings(max_examples=25)
@given(st.integers(0, 2**16), st.floats(0.01, 10))
def test_the_value_stays_among_the_atoms_and_the_jacobian_is_positive(seed, sigma):
    generator = torch.Generator().manual_seed(seed)
    atoms, y = draw(generator, 6, 1, 2, 2), 5 * draw(generator, 3, 1, 2, 2)
    jacobian = Jacobian(DiracMixture(atoms).at(sigma), y)
    assert (jacobian.value <= atoms.amax(0) + 1e-9).all()
    assert (jacobian.value >= atoms.amin(0) - 1e-9).all()
    assert torch.linalg.eigvalsh(jacobian.dense()).min() > -1e-9 / sigma**2


def test_one_far_atom_outweighs_the_others_without_overflow():
    atoms = torch.tensor([0.0, 1.0]).reshape(2, 1, 1, 1)
    assert DiracMixture(atoms)(torch.full((1, 1, 1, 1), 900.0), 1e-3).item() == 1.0


def test_bad_noise_levels_shapes_and_empty_sets_are_refused():
    mixture = DiracMixture(torch.zeros(3, 1, 2, 2))
    with pytest.raises(ValueError, match="above 0"):
        mixture(torch.zeros(1, 1, 2, 2), 0.0)
    with pytest.raises(ValueError, match="atoms of shape"):
        mixture(torch.zeros(1, 1, 3, 3), 1.0)
    with pytest.raises(ValueError, match="at least one atom"):
        DiracMixture(torch.zeros(0, 1, 2, 2))

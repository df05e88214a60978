"""Tangent spaces under coloured noise: J is not symmetric, S^(-1/2) J S^(1/2) is."""

from __future__ import annotations

import math

import pytest
import torch
from laws import COLOURED, LAWS, dense, name
from torch import Generator, Tensor

from manex.analyses.geometry import diagnose
from manex.datasets.manifold import LatentManifold
from manex.denoisers.mixture import DiracMixture
from manex.denoisers.network import NetworkDenoiser
from manex.denoisers.wiener import Wiener
from manex.geometry.conjugate import Conjugated, conjugated
from manex.geometry.eigen import top_eigenspace
from manex.geometry.products import Jacobian
from manex.geometry.tangent import angles_to, asymmetry, effective_dimension, principal_angles
from manex.networks.unet import UNet
from manex.noises.base import Noise
from manex.noises.draws import noise_like

SIGMA = 0.7
every_law = pytest.mark.parametrize("noise", LAWS, ids=name)
coloured = pytest.mark.parametrize("noise", COLOURED, ids=name)


def draw(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def mixture(noise: Noise, generator: Generator) -> tuple[DiracMixture, Tensor]:
    return DiracMixture(draw(generator, 20, 1, 3, 4), noise=noise), draw(generator, 4, 1, 3, 4)


def moving(count: int) -> Tensor:
    """A blob that moves along a curve, in float64."""
    t = torch.linspace(-1, 1, count, dtype=torch.float64)[:, None, None]
    y, x = torch.meshgrid(torch.arange(10.0).double(), torch.arange(10.0).double(), indexing="ij")
    blob = torch.exp(-((y - 4.5 - 2 * t) ** 2 + (x - 4.5 - 2 * torch.sin(2 * t)) ** 2) / 3)
    return blob[:, None]


def sample(noise: Noise, sigma: float, generator: Generator) -> tuple[DiracMixture, Tensor, Tensor]:
    """The exact denoiser of that curve, noisy frames of it, and their unit tangents."""
    atoms = moving(2001)
    chosen = torch.arange(200, 1900, 200)
    tangents = atoms[chosen + 1] - atoms[chosen - 1]
    clean = atoms[chosen]
    noisy = clean + sigma * noise_like(clean, generator, noise)
    return DiracMixture(atoms, noise=noise), noisy, tangents / tangents.flatten(1).norm(dim=1).reshape(-1, 1, 1, 1)


@every_law
def test_the_conjugate_is_symmetric_with_the_eigenvalues_of_the_jacobian(noise: Noise, generator: Generator) -> None:
    denoiser, y = mixture(noise, generator)
    jacobian = Jacobian(denoiser.at(SIGMA), y)
    J, symmetric = jacobian.dense(), conjugated(jacobian).dense()
    torch.testing.assert_close(symmetric, symmetric.mT, rtol=0, atol=1e-10)
    values = torch.linalg.eigvalsh(symmetric)
    assert (values > -1e-10).all()
    expected = torch.linalg.eigvals(J)
    torch.testing.assert_close(expected.imag, torch.zeros_like(expected.imag), rtol=0, atol=1e-7)
    torch.testing.assert_close(values, expected.real.sort(dim=1).values, rtol=0, atol=1e-7)


@coloured
def test_products_with_the_conjugate_are_those_of_its_matrix(noise: Noise, generator: Generator) -> None:
    denoiser, y = mixture(noise, generator)
    v = draw(generator, 4, 3, 1, 3, 4)
    values, vectors = torch.linalg.eigh(dense(noise, 3, 4))
    root, inverse = (vectors * values**p @ vectors.T for p in (0.5, -0.5))
    for backend in ("closed_form", "vjp"):
        jacobian = Jacobian(denoiser.at(SIGMA), y, backend)
        matrix = inverse @ jacobian.dense() @ root
        whole = Conjugated(jacobian, noise)
        torch.testing.assert_close(whole.dense(), matrix, rtol=1e-9, atol=1e-10)
        torch.testing.assert_close(whole.jvp(v).flatten(2), v.flatten(2) @ matrix.mT, rtol=1e-9, atol=1e-10)
        torch.testing.assert_close(whole.vjp(v).flatten(2), v.flatten(2) @ matrix, rtol=1e-9, atol=1e-10)
        torch.testing.assert_close(whole.item(1).dense()[0], matrix[1], rtol=1e-9, atol=1e-10)
        assert whole.products == jacobian.products > 0


@pytest.mark.parametrize("solver", ["krylov", "subspace", "exact", "deflated", "lanczos"])
@pytest.mark.parametrize("backend", ["closed_form", "vjp"])
@every_law
def test_every_solver_finds_the_right_eigenvectors(
    noise: Noise, backend: str, solver: str, generator: Generator
) -> None:
    """They span what the right eigenvectors of J span, and are orthonormal."""
    denoiser, y = mixture(noise, generator)
    jacobian = Jacobian(denoiser.at(SIGMA), y, backend)
    space = top_eigenspace(jacobian, 2, solver, tolerance=1e-7, max_products=4000)
    values, columns = torch.linalg.eig(jacobian.dense())
    order = values.real.argsort(dim=1, descending=True)[:, :2]
    right = columns.real.mT.gather(1, order[..., None].expand(-1, -1, 12))
    right = torch.linalg.qr(right.mT)[0].mT
    torch.testing.assert_close(space.values, values.real.gather(1, order), rtol=0, atol=1e-6)
    angles = principal_angles(right.reshape(4, 2, 1, 3, 4), space.vectors)
    assert angles.max() < 1e-4
    first = principal_angles(right[:, :1].reshape(4, 1, 1, 3, 4), space.vectors[:, :1])
    assert first.max() < 1e-4
    gram = space.vectors.flatten(2) @ space.vectors.flatten(2).mT
    torch.testing.assert_close(gram, torch.eye(2).double().expand(4, 2, 2), rtol=0, atol=1e-10)
    assert space.products > 0


@coloured
def test_a_start_is_in_images(noise: Noise, generator: Generator) -> None:
    denoiser, y = mixture(noise, generator)
    jacobian = Jacobian(denoiser.at(SIGMA), y)
    cold = top_eigenspace(jacobian, 2, tolerance=1e-8, max_products=4000)
    warm = top_eigenspace(jacobian, 2, start=cold.vectors, tolerance=1e-3)
    assert warm.products <= cold.products
    assert principal_angles(warm.vectors, cold.vectors).max() < 1e-2


@pytest.mark.parametrize("noise", COLOURED[:3], ids=name)  # the last one is nearly white
def test_the_leading_direction_is_the_true_tangent_where_the_symmetric_part_misses_it(
    noise: Noise, generator: Generator
) -> None:
    denoiser, noisy, tangents = sample(noise, 0.03, generator)
    jacobian = Jacobian(denoiser.at(0.03), noisy)
    own = angles_to(top_eigenspace(jacobian, 1).vectors[:, 0], tangents)
    matrix = jacobian.dense()
    naive = torch.linalg.eigh((matrix + matrix.mT) / 2).eigenvectors[:, :, -1].reshape(tangents.shape)
    missed = angles_to(naive, tangents)
    assert own.median() < 3
    assert missed.median() > max(5, 2 * float(own.median()))
    kept = jacobian.jvp(tangents[:, None])[:, 0]  # what tangent_flow does: J t is along t as it is
    assert angles_to(kept, tangents).median() < 3


@every_law
def test_asymmetry_is_that_of_the_conjugate(noise: Noise, generator: Generator) -> None:
    """A posterior mean has none, whatever the law; J itself has some."""
    denoiser, y = mixture(noise, generator)
    jacobian = Jacobian(denoiser.at(SIGMA), y, "vjp")
    assert asymmetry(jacobian).max() < 1e-9
    assert asymmetry(jacobian, 4).max() < 1e-9
    J = jacobian.dense()
    plain = (J - J.mT).flatten(1).norm(dim=1) / (J + J.mT).flatten(1).norm(dim=1)
    assert (plain.min() > 0.01) == (not noise.is_white)
    assert top_eigenspace(jacobian, 2).asymmetry.max() < 1e-9
    trace = torch.einsum("bii->b", J)
    torch.testing.assert_close(effective_dimension(jacobian), trace)
    torch.testing.assert_close(effective_dimension(conjugated(jacobian)), trace)


@every_law
def test_a_diagnosis_is_right_under_every_law(noise: Noise) -> None:
    atoms = moving(1001)
    manifold = LatentManifold(atoms, torch.arange(1001).double())
    denoiser = DiracMixture(atoms, noise=noise)
    found = list(diagnose(denoiser, 0.1, atoms[None, 100:900:50], [manifold], every=3))
    table = {key: torch.cat([row[key] for row in found]) for key in found[0]}
    assert table["tangent_angle"].median() < 3
    assert table["retention"].median() == pytest.approx(1, abs=0.1)
    assert table["asymmetry"].max() < 1e-9


@coloured
def test_networks_take_the_same_way(noise: Noise, generator: Generator) -> None:
    """A network is not symmetric under any law: the solver works on the symmetric part of its conjugate."""
    torch.manual_seed(0)
    network = NetworkDenoiser(UNet(1, 2).double().eval(), noise=noise)
    y = draw(generator, 2, 1, 8, 8)
    jacobian = Jacobian(network.at(0.1), y)
    values, vectors = torch.linalg.eigh(dense(noise, 8, 8))
    root, inverse = (vectors * values**p @ vectors.T for p in (0.5, -0.5))
    conjugate = inverse @ jacobian.dense() @ root
    symmetric = (conjugate + conjugate.mT) / 2
    top = torch.linalg.eigh(symmetric)
    space = top_eigenspace(jacobian, 3, "exact")
    torch.testing.assert_close(space.values, top.eigenvalues.flip(1)[:, :3])
    mapped = (root @ top.eigenvectors[:, :, -3:]).mT.reshape(2, 3, 1, 8, 8)
    orthonormal = torch.linalg.qr(mapped.flatten(2).mT)[0].mT.reshape(mapped.shape)
    assert principal_angles(orthonormal, space.vectors).max() < 1e-6
    apart, together = conjugate - conjugate.mT, conjugate + conjugate.mT
    expected = apart.flatten(1).norm(dim=1) / together.flatten(1).norm(dim=1)
    torch.testing.assert_close(asymmetry(jacobian), expected)
    torch.testing.assert_close(space.asymmetry, expected)


def test_a_linear_denoiser_has_one_tangent_space_under_every_law(generator: Generator) -> None:
    """The range of C is the same, whatever the noise: two directions are let through."""
    axes = torch.linalg.qr(draw(generator, 16, 2))[0].T
    frames = (draw(generator, 200, 2) @ axes).reshape(-1, 1, 4, 4)
    for noise in LAWS:
        jacobian = Jacobian(Wiener(frames, noise).at(0.05), draw(generator, 1, 1, 4, 4))
        space = top_eigenspace(jacobian, 2, tolerance=1e-6)
        assert principal_angles(axes.reshape(1, 2, 1, 4, 4), space.vectors).max() * 180 / math.pi < 1e-3

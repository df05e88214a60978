from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from maps import Residual, black_box, dense, linear_map, seeded, sphere

from manex.denoisers.mixture import DiracMixture
from manex.errors import GeometryError
from manex.geometry.eigen import FixedRank, LargestGap, Threshold, top_eigenspace
from manex.geometry.products import Jacobian

ITERATIVE = ["krylov", "subspace", "deflated", "lanczos"]
SOLVERS = ["exact", *ITERATIVE]


def rotation(n, generator):
    return torch.linalg.qr(sphere(generator, n, n))[0]


def spectrum_map(values, generator, skew=0.0):
    """A linear map whose symmetric part has the given eigenvalues, and that symmetric part's eigenvectors (columns)."""
    axes = rotation(len(values), generator)
    noise = sphere(generator, len(values), len(values))
    return axes @ torch.diag(values) @ axes.T + skew * (noise - noise.T), axes


def largest_sine(rows, columns):
    """The sine of the largest angle between two spaces of equal dimension, by projectors."""
    a, b = rows.flatten(1).double().numpy(), columns.double().numpy()
    return np.linalg.norm(a.T @ a - b @ b.T, 2)


DECAY = torch.cat([torch.tensor([1.0, 0.97, 0.9, 0.8]), 0.6 * 0.85 ** torch.arange(32)]).double()


@pytest.mark.parametrize("solver", SOLVERS)
def test_every_solver_finds_the_space_that_numpy_finds(solver, generator):
    matrices = [spectrum_map(DECAY, generator)[0] for _ in range(2)]
    both = torch.stack(matrices)
    points = sphere(generator, 2, 1, 6, 6)
    jacobian = Jacobian(lambda y: (y.flatten(1)[:, None] @ both[: len(y)].mT).reshape(y.shape), points[:1])
    space = top_eigenspace(jacobian, 4, solver, tolerance=1e-6, max_products=10_000)
    values, columns = np.linalg.eigh(matrices[0].numpy())
    assert largest_sine(space.vectors[0], torch.from_numpy(columns[:, -4:].copy())) < 1e-5
    torch.testing.assert_close(space.values[0], torch.from_numpy(values[::-1][:4].copy()), rtol=0, atol=1e-8)


@pytest.mark.parametrize("solver", ["exact", "krylov", "subspace", "lanczos"])
def test_an_asymmetric_jacobian_gives_the_space_of_its_symmetric_part(solver, generator):
    matrix, axes = spectrum_map(DECAY, generator, skew=0.05)
    jacobian = Jacobian(linear_map(matrix), sphere(generator, 2, 1, 6, 6))
    space = top_eigenspace(jacobian, 3, solver, tolerance=1e-6, max_products=10_000)
    assert max(largest_sine(rows, axes[:, :3]) for rows in space.vectors) < 1e-5


@pytest.mark.parametrize("solver", SOLVERS)
def test_residuals_gap_and_orthonormality_are_what_they_say(solver, generator):
    function, points = seeded(Residual()), sphere(generator, 2, 1, 5, 5)
    jacobian = Jacobian(function, points)
    space = top_eigenspace(jacobian, 3, solver, max_products=200)
    matrices = dense(function, points)
    symmetric, rows = (matrices + matrices.mT) / 2, space.vectors.flatten(2)
    residuals = (rows @ symmetric - space.values[..., None] * rows).norm(dim=2)
    torch.testing.assert_close(space.residuals, residuals, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(rows @ rows.mT, torch.eye(3, dtype=torch.float64).expand(2, -1, -1))
    assert (space.values.diff(dim=1) <= 0).all()
    assert (rows.gather(2, rows.abs().argmax(2, keepdim=True)) > 0).all()


def test_gap_and_asymmetry_of_the_exact_solver_are_those_of_the_matrix(generator):
    matrix, _ = spectrum_map(DECAY, generator, skew=0.05)
    space = top_eigenspace(Jacobian(linear_map(matrix), sphere(generator, 1, 1, 6, 6)), 3, "exact")
    ratio = (matrix - matrix.T).norm() / (matrix + matrix.T).norm()
    torch.testing.assert_close(space.gap, (DECAY[2] - DECAY[3])[None])
    torch.testing.assert_close(space.asymmetry, ratio[None])
    assert space.products == 36


def test_krylov_needs_far_fewer_products_than_power_iteration_on_a_small_gap(generator):
    values = torch.cat([torch.tensor([1.0, 0.95, 0.93]), torch.linspace(0.91, 0.0, 141)]).double()
    matrix, _ = spectrum_map(values, generator)
    jacobian = Jacobian(linear_map(matrix), sphere(generator, 1, 1, 12, 12))
    spent = [top_eigenspace(jacobian, 3, s, max_products=100_000).products for s in ("krylov", "subspace", "deflated")]
    assert 4 * spent[0] < min(spent[1:])


def test_a_warm_start_from_the_answer_ends_at_once(generator):
    matrix, _ = spectrum_map(DECAY, generator)
    jacobian = Jacobian(linear_map(matrix), sphere(generator, 2, 1, 6, 6))
    cold = top_eigenspace(jacobian, 4, tolerance=1e-6)
    warm = top_eigenspace(jacobian, 4, tolerance=1e-2, start=cold.vectors)
    assert warm.products < cold.products / 2


def test_equal_seeds_give_equal_spaces(generator):
    matrix, _ = spectrum_map(DECAY, generator)
    jacobian = Jacobian(linear_map(matrix), sphere(generator, 1, 1, 6, 6))
    first, second = (top_eigenspace(jacobian, 4, generator=torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first.vectors, second.vectors)


@settings(max_examples=20)
@given(st.integers(1, 9), st.sampled_from(["krylov", "subspace", "exact"]), st.integers(0, 2**16))
def test_a_jacobian_of_low_rank_is_solved_whatever_is_asked(k, solver, seed):
    generator = torch.Generator().manual_seed(seed)
    rank = int(torch.randint(0, 9, (), generator=generator))
    values = torch.cat([torch.linspace(1, 0.3, rank), torch.zeros(9 - rank)]).double()
    matrix, _ = spectrum_map(values, generator)
    space = top_eigenspace(Jacobian(linear_map(matrix), sphere(generator, 2, 1, 3, 3)), k, solver, tolerance=1e-6)
    rows = space.vectors.flatten(2)
    torch.testing.assert_close(rows @ rows.mT, torch.eye(k, dtype=torch.float64).expand(2, -1, -1))
    torch.testing.assert_close(space.values, values[:k].expand(2, -1), rtol=0, atol=1e-6)


@settings(max_examples=10)
@given(st.integers(0, 2**16))
def test_a_rotation_of_the_pixels_rotates_the_space(seed):
    generator = torch.Generator().manual_seed(seed)
    matrix, _ = spectrum_map(DECAY, generator)
    turn = rotation(36, generator)
    point = sphere(generator, 1, 1, 6, 6)
    space = top_eigenspace(Jacobian(linear_map(matrix), point), 3, tolerance=1e-6)
    turned = top_eigenspace(Jacobian(linear_map(turn @ matrix @ turn.T), point), 3, tolerance=1e-6)
    assert largest_sine(turned.vectors[0], turn @ space.vectors[0].flatten(1).T) < 1e-4


@pytest.mark.parametrize(
    ("rule", "size"), [(FixedRank(2), 2), (Threshold(0.85), 3), (Threshold(2.0), 1), (LargestGap(8), 4)]
)
def test_rules_count_the_eigenvalues_they_are_about(rule, size, generator):
    matrix, _ = spectrum_map(DECAY, generator)
    space = top_eigenspace(Jacobian(linear_map(matrix), sphere(generator, 1, 1, 6, 6)), rule, "exact")
    assert space.size.tolist() == [size]
    torch.testing.assert_close(space.gap, (DECAY[size - 1] - DECAY[size])[None])
    assert (space.kept.flatten(2).norm(dim=2) > 0.5).sum() == size


def test_the_whole_space_has_no_gap(generator):
    space = top_eigenspace(Jacobian(linear_map(sphere(generator, 4, 4)), sphere(generator, 1, 1, 2, 2)), 4)
    assert space.gap.tolist() == [float("inf")]


def test_one_sided_products_cost_half_where_the_jacobian_is_symmetric(generator):
    matrix, axes = spectrum_map(DECAY, generator)
    jacobian = Jacobian(linear_map(matrix), sphere(generator, 1, 1, 6, 6))
    both, one = (top_eigenspace(jacobian, 3, tolerance=1e-6, symmetrise=s) for s in (True, False))
    assert one.products == both.products / 2
    assert largest_sine(one.vectors[0], axes[:, :3]) < 1e-5


def test_a_closed_form_is_multiplied_once_for_each_vector(generator):
    atoms = sphere(generator, 5, 1, 4, 4)
    jacobian = Jacobian(DiracMixture(atoms).at(1.5), sphere(generator, 2, 1, 4, 4))
    space = top_eigenspace(jacobian, 3)
    assert jacobian.backend == "closed_form"
    assert space.asymmetry.tolist() == [0.0, 0.0]
    assert (space.residuals < 1e-3).all()


def test_the_budget_ends_an_iteration_that_cannot_end(generator):
    jacobian = Jacobian(linear_map(rotation(100, generator)), sphere(generator, 1, 1, 10, 10))
    space = top_eigenspace(jacobian, 3, "subspace", tolerance=1e-12, max_products=40)
    assert 40 <= space.products < 80
    assert space.residuals.max() > 1e-6


def test_a_black_box_is_solved_with_a_warning(generator):
    jacobian = Jacobian(black_box, sphere(generator, 1, 1, 3, 3), "finite_difference")
    with pytest.warns(UserWarning, match="inexactly"):
        space = top_eigenspace(jacobian, 2, max_products=20)
    assert space.asymmetry.isnan().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"rule": 10}, "10 eigenvectors asked of a space of 9"),
        ({"rule": 0}, "0 eigenvectors"),
        ({"rule": 2, "start": torch.zeros(1, 2, 1, 4, 4)}, "start of shape"),
        ({"rule": 8, "solver": "lanczos"}, "take exact"),
    ],
)
def test_impossible_wishes_are_refused(arguments, message):
    jacobian = Jacobian(linear_map(torch.eye(9)), torch.zeros(1, 1, 3, 3))
    with pytest.raises(GeometryError, match=message):
        top_eigenspace(jacobian, **arguments)

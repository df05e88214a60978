from __future__ import annotations

import math

import pytest
import torch
from maps import BiasFree, linear_map, seeded, sphere

from manex.errors import GeometryError
from manex.geometry.eigen import Threshold, top_eigenspace
from manex.geometry.products import Jacobian
from manex.geometry.tangent import (
    asymmetry,
    effective_dimension,
    principal_angles,
    project,
    retention,
    soft_projection,
    without_brightness,
)


def frame(generator, k, n=9):
    """k orthonormal vectors of n = side^2 pixels."""
    side = math.isqrt(n)
    return torch.linalg.qr(sphere(generator, 2, n, k))[0].mT.reshape(2, k, 1, side, side)


def test_projection_keeps_what_is_inside_and_drops_what_is_orthogonal(generator):
    vectors = frame(generator, 5)
    inside, outside = vectors[:, :2], vectors[:, 2:]
    velocity = 3 * inside[:, 0] - inside[:, 1] + 2 * outside[:, 1]
    torch.testing.assert_close(project(inside, velocity), 3 * inside[:, 0] - inside[:, 1])


def test_projection_ignores_vectors_beyond_the_size_of_a_space(generator):
    matrix = torch.diag(torch.tensor([1.0, 0.9, 0.3, 0.2, 0, 0, 0, 0, 0]).double())
    space = top_eigenspace(Jacobian(linear_map(matrix), sphere(generator, 1, 1, 3, 3)), Threshold(0.5, most=4))
    projected = project(space, torch.ones(1, 1, 3, 3, dtype=torch.float64))
    torch.testing.assert_close(
        projected.flatten(), torch.tensor([1.0, 1, 0, 0, 0, 0, 0, 0, 0]).double(), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("angle", [1e-7, 0.3, 1.2])
def test_principal_angles_of_a_plane_turned_by_a_known_angle(angle, generator):
    e = frame(generator, 3)
    turned = torch.stack([e[:, 0], math.cos(angle) * e[:, 1] + math.sin(angle) * e[:, 2]], dim=1)
    expected = torch.tensor([[0.0, angle]] * 2, dtype=torch.float64)
    torch.testing.assert_close(principal_angles(e[:, :2], turned), expected, rtol=1e-6, atol=1e-12)


def test_a_line_inside_a_plane_has_no_angle_to_it(generator):
    e = frame(generator, 2)
    line = (e[:, :1] + e[:, 1:]) / math.sqrt(2)
    assert principal_angles(line, e).max() < 1e-12
    with pytest.raises(GeometryError, match="swap"):
        principal_angles(e, line)


def test_retention_of_eigenvectors_is_given_by_their_eigenvalue(generator):
    matrix = torch.diag(torch.linspace(1, 0.2, 9, dtype=torch.float64))
    directions = 5 * torch.eye(9, dtype=torch.float64)[[0, 8]].reshape(2, 1, 3, 3)
    lost, kept = retention(Jacobian(linear_map(matrix), sphere(generator, 2, 1, 3, 3)), directions)
    torch.testing.assert_close(lost, torch.tensor([0.0, 0.8]).double())
    torch.testing.assert_close(kept, torch.tensor([1.0, 0.2]).double())


def test_effective_dimension_is_the_trace(generator):
    matrix = sphere(generator, 9, 9)
    jacobian = Jacobian(linear_map(matrix), sphere(generator, 2, 1, 3, 3))
    torch.testing.assert_close(effective_dimension(jacobian), matrix.trace().expand(2))


def test_random_signs_give_the_trace_of_a_diagonal_exactly(generator):
    # Hutchinson's variance comes from off-diagonal entries only.
    diagonal = torch.rand(9, generator=generator, dtype=torch.float64)
    jacobian = Jacobian(linear_map(torch.diag(diagonal)), sphere(generator, 2, 1, 3, 3))
    torch.testing.assert_close(effective_dimension(jacobian, probes=3), diagonal.sum().expand(2))


def test_the_random_trace_is_within_its_own_error_and_repeats(generator):
    matrix = sphere(generator, 9, 9)
    jacobian = Jacobian(linear_map(matrix), sphere(generator, 1, 1, 3, 3))
    deviation = ((matrix + matrix.T).triu(1).square().sum() / 4000).sqrt()
    estimate = effective_dimension(jacobian, probes=4000)
    assert (estimate - matrix.trace()).abs() < 5 * deviation
    assert torch.equal(estimate, effective_dimension(jacobian, probes=4000))


def test_asymmetry_is_zero_for_symmetric_and_infinite_for_skew(generator):
    matrix = sphere(generator, 9, 9)
    points = sphere(generator, 1, 1, 3, 3)
    assert asymmetry(Jacobian(linear_map(matrix + matrix.T), points)).item() < 1e-14
    assert asymmetry(Jacobian(linear_map(matrix - matrix.T), points)).item() > 1e14
    expected = (matrix - matrix.T).norm() / (matrix + matrix.T).norm()
    torch.testing.assert_close(asymmetry(Jacobian(linear_map(matrix), points)).squeeze(), expected)
    estimate = asymmetry(Jacobian(linear_map(matrix), points), probes=2000).squeeze()
    torch.testing.assert_close(estimate, expected, rtol=0.1, atol=0)


def test_soft_projection_is_a_power_of_the_jacobian(generator):
    matrix, velocity = sphere(generator, 9, 9), sphere(generator, 2, 1, 3, 3)
    jacobian = Jacobian(linear_map(matrix), sphere(generator, 2, 1, 3, 3))
    expected = (velocity.flatten(1) @ torch.linalg.matrix_power(matrix, 3).T).reshape(velocity.shape)
    torch.testing.assert_close(soft_projection(jacobian, velocity, products=3), expected)
    with pytest.raises(GeometryError, match="at least one"):
        soft_projection(jacobian, velocity, products=0)


def test_brightness_is_removed_and_the_rest_kept(generator):
    e = frame(generator, 2)
    image, motion = 3 * e[:, 0], e[:, 1]
    torch.testing.assert_close(without_brightness(motion + 0.7 * image, image), motion)


def test_a_homogeneous_denoiser_brightens_along_the_image(generator):
    # Tweedie: J is a covariance only for a trained net; J y = D(y) holds for any bias-free one.
    network, image = seeded(BiasFree()), sphere(generator, 2, 1, 6, 6)
    jacobian = Jacobian(network, image)
    torch.testing.assert_close(soft_projection(jacobian, image), network(image).detach())

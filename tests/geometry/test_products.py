from __future__ import annotations

from functools import partial

import pytest
import torch
from maps import Attention, Bag, BiasFree, Residual, black_box, dense, linear_map, seeded, sphere
from torch import nn

from manex.denoisers.network import NetworkDenoiser
from manex.errors import GeometryError
from manex.geometry.products import Jacobian

NETWORKS = {"residual": (Residual(), 5), "bias_free": (BiasFree(), 6), "bag": (Bag(), 8)}
EXACT = ["linearized", "vjp", "jvp"]


def multiplied(matrices, vectors):
    return (vectors.flatten(2) @ matrices.mT).reshape(vectors.shape)


@pytest.fixture(params=NETWORKS)
def case(request, generator):
    network, size = NETWORKS[request.param]
    denoiser = NetworkDenoiser(seeded(network)).at(0.1)
    return denoiser, sphere(generator, 3, 1, size, size), sphere(generator, 3, 4, 1, size, size)


@pytest.mark.parametrize("backend", EXACT)
def test_products_are_those_of_the_dense_jacobian(case, backend):
    function, points, vectors = case
    matrices, jacobian = dense(function, points), Jacobian(function, points, backend)
    torch.testing.assert_close(jacobian.jvp(vectors), multiplied(matrices, vectors))
    torch.testing.assert_close(jacobian.vjp(vectors), multiplied(matrices.mT, vectors))
    torch.testing.assert_close(jacobian.symmetric(vectors), multiplied((matrices + matrices.mT) / 2, vectors))
    torch.testing.assert_close(jacobian.dense(), matrices)


def test_central_differences_come_close_to_the_dense_jacobian(generator):
    function = seeded(Residual())
    points, vectors = sphere(generator, 2, 1, 5, 5), sphere(generator, 2, 3, 1, 5, 5)
    product = Jacobian(function, points, "finite_difference").jvp(vectors)
    torch.testing.assert_close(product, multiplied(dense(function, points), vectors), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("backend", [*EXACT, "finite_difference"])
def test_chunks_for_a_tiny_memory_limit_change_nothing(case, backend):
    function, points, vectors = case
    whole, parts = Jacobian(function, points, backend), Jacobian(function, points, backend, memory_limit=1)
    torch.testing.assert_close(parts.jvp(vectors), whole.jvp(vectors))
    torch.testing.assert_close(parts.value, function(points))


def test_a_homogeneous_denoiser_is_its_own_jacobian_times_the_image(generator):
    points = sphere(generator, 4, 1, 6, 6)
    jacobian = Jacobian(NetworkDenoiser(seeded(BiasFree())).at(0.1), points)
    torch.testing.assert_close(jacobian.jvp(points[:, None])[:, 0], jacobian.value)


def test_auto_replays_the_linear_part(case):
    function, points, _ = case
    assert Jacobian(function, points).backend == "linearized"


@pytest.mark.parametrize("points", [1, 2])
def test_the_network_runs_once_however_many_products_are_taken(points, generator):
    network, runs = seeded(BiasFree()), []
    for _ in range(2):  # is checked, at the first and the second
        Jacobian(network, sphere(generator, points, 1, 6, 6))
    network.register_forward_hook(lambda *_: runs.append(1))
    jacobian = Jacobian(network, sphere(generator, points, 1, 6, 6))
    jacobian.symmetric(sphere(generator, points, 5, 1, 6, 6))
    jacobian.jvp(sphere(generator, points, 2, 1, 6, 6))
    assert len(runs) == 1


def test_single_precision_is_as_good_as_its_rounding(generator):
    network, points, vectors = seeded(Residual()), sphere(generator, 2, 1, 5, 5), sphere(generator, 2, 3, 1, 5, 5)
    expected = multiplied(dense(network, points), vectors)
    product = Jacobian(network.float(), points.float()).jvp(vectors.float())
    torch.testing.assert_close(product.double(), expected, rtol=1e-4, atol=1e-5)


def test_an_unknown_operation_falls_back_on_autograd(generator):
    points, vectors = sphere(generator, 2, 1, 4, 4), sphere(generator, 2, 3, 1, 4, 4)
    jacobian = Jacobian(Attention().eval(), points)
    assert jacobian.backend == "vjp"
    torch.testing.assert_close(jacobian.jvp(vectors), multiplied(dense(Attention(), points), vectors))
    with pytest.raises(GeometryError, match="no linear rule"):
        Jacobian(Attention().eval(), points, "linearized")


@pytest.mark.parametrize("points", [1, 2])
@pytest.mark.parametrize(
    "mixing",
    [
        lambda y: y - y.mean(),
        lambda y: y - y.mean(0, keepdim=True),
        lambda y: y * y.flip(0),
        lambda y: y.transpose(0, 1).contiguous().transpose(0, 1) + y,
        lambda y: torch.cat([y, y], 0)[: len(y)],
    ],
)
def test_operations_across_the_batch_are_not_replayed(mixing, points, generator):
    with pytest.raises(GeometryError, match=r"not linearizable|mixes the items"):
        Jacobian(mixing, sphere(generator, points, 1, 3, 3), "linearized")


def relu_under_a_view(y):
    x = 2 * y
    flat = x.view(len(y), -1)
    torch.relu_(x)
    return flat.view_as(y)


def relu_after_a_reader(y):
    x = 2 * y
    shifted = x + 1
    torch.relu_(x)
    return shifted + x - 2 * y


@pytest.mark.parametrize("function", [relu_under_a_view, relu_after_a_reader])
def test_an_in_place_change_that_others_see_is_not_replayed(function, generator):
    points, vectors = sphere(generator, 2, 1, 3, 3), sphere(generator, 2, 2, 1, 3, 3)
    jacobian = Jacobian(function, points)
    assert jacobian.backend == "vjp"
    torch.testing.assert_close(jacobian.jvp(vectors), 2 * (points > 0)[:, None] * vectors)


def swapped(y: torch.Tensor) -> torch.Tensor:
    """Every second row changes places with the one before it: `stack` takes its tensors in a list."""
    return y + torch.stack([y[:, :, 1::2] ** 2, -y[:, :, ::2]], 3).reshape(y.shape)


def test_an_operation_on_a_list_of_tensors_is_left_to_autograd(generator):
    points, vectors = sphere(generator, 2, 1, 4, 3), sphere(generator, 2, 3, 1, 4, 3)
    jacobian, matrices = Jacobian(swapped, points), dense(swapped, points)
    assert jacobian.backend == "vjp"
    torch.testing.assert_close(jacobian.jvp(vectors), multiplied(matrices, vectors))
    torch.testing.assert_close(jacobian.vjp(vectors), multiplied(matrices.mT, vectors))
    with pytest.raises(GeometryError, match=r"stack.*in a list"):
        Jacobian(swapped, points, "linearized")


def test_a_black_box_is_differenced_with_a_warning(generator):
    points = sphere(generator, 2, 1, 3, 4)
    vectors = sphere(generator, 2, 3, 1, 3, 4)
    with pytest.warns(UserWarning, match="not differentiable"):
        jacobian = Jacobian(black_box, points)
    assert not jacobian.exact
    expected = points.cos()[:, None] * vectors + (points[:, None] * vectors).roll(1, dims=4)
    torch.testing.assert_close(jacobian.jvp(vectors), expected, rtol=1e-6, atol=1e-6)
    with pytest.warns(UserWarning, match="inexactly"):
        torch.testing.assert_close(jacobian.symmetric(vectors), jacobian.jvp(vectors))
    with pytest.raises(GeometryError, match=r"no J\^T v"):
        jacobian.vjp(vectors)


def test_a_zero_vector_has_a_zero_difference(generator):
    points = sphere(generator, 1, 1, 3, 3)
    product = Jacobian(torch.sin, points, "finite_difference").jvp(torch.zeros(1, 2, 1, 3, 3, dtype=torch.float64))
    assert product.abs().max() == 0


def test_products_are_counted_one_by_one(generator):
    jacobian = Jacobian(seeded(BiasFree()), sphere(generator, 3, 1, 6, 6))
    jacobian.jvp(sphere(generator, 3, 4, 1, 6, 6))
    jacobian.symmetric(sphere(generator, 3, 2, 1, 6, 6))
    assert jacobian.products == 3 * 4 + 2 * 3 * 2


@pytest.mark.parametrize("backend", EXACT)
def test_weights_gather_no_gradients_and_stay_trainable(generator, backend):
    network = seeded(Residual())
    jacobian = Jacobian(network, sphere(generator, 2, 1, 5, 5), backend)
    product = jacobian.symmetric(sphere(generator, 2, 2, 1, 5, 5))
    assert not product.requires_grad
    assert all(p.requires_grad and p.grad is None for p in network.parameters())


@pytest.mark.parametrize("backend", EXACT)
def test_products_work_where_gradients_are_switched_off(generator, backend):
    network, points, vectors = seeded(Residual()), sphere(generator, 2, 1, 5, 5), sphere(generator, 2, 2, 1, 5, 5)
    with torch.no_grad():
        product = Jacobian(network, points, backend).vjp(vectors)
    torch.testing.assert_close(product, multiplied(dense(network, points).mT, vectors))


@pytest.mark.parametrize("wrap", [lambda m: m, lambda m: partial(m), lambda m: m.forward, lambda m: lambda y: y - m(y)])
def test_training_mode_is_refused_however_the_network_is_wrapped(wrap):
    with pytest.raises(GeometryError, match="training mode"):
        Jacobian(wrap(nn.Sequential(nn.Conv2d(1, 1, 1), nn.Dropout())), torch.zeros(1, 1, 3, 3))


def test_a_change_of_shape_is_refused():
    with pytest.raises(GeometryError, match=r"\(2, 1, 4, 4\) into \(2, 1, 2, 2\)"):
        Jacobian(nn.AvgPool2d(2).eval(), torch.zeros(2, 1, 4, 4))


@pytest.mark.parametrize("backend", ["auto", "finite_difference"])
def test_a_value_that_is_not_finite_is_refused(backend):
    with pytest.raises(GeometryError, match="NaN"):
        Jacobian(torch.log, torch.full((1, 1, 2, 2), -1.0), backend)


@pytest.mark.parametrize("backend", EXACT)
@pytest.mark.parametrize("function", [black_box, lambda y: y.detach() * 2], ids=["numpy", "detached"])
def test_an_exact_backend_refuses_what_it_cannot_differentiate(backend, function):
    with pytest.raises(GeometryError, match=r"differentiable|linearizable"):
        Jacobian(function, torch.ones(1, 1, 2, 2), backend)


def test_vectors_that_do_not_fit_the_points_are_refused():
    jacobian = Jacobian(linear_map(torch.eye(4)), torch.zeros(2, 1, 2, 2))
    with pytest.raises(GeometryError, match="expected"):
        jacobian.jvp(torch.zeros(2, 3, 1, 4, 1))


def test_a_mistyped_backend_names_the_choices():
    with pytest.raises(GeometryError, match="linearized"):
        Jacobian.__init__.__wrapped__(Jacobian.__new__(Jacobian), torch.sin, torch.zeros(1, 1, 2, 2), "vpj")


def test_a_closed_form_must_exist_to_be_asked_for():
    with pytest.raises(GeometryError, match="closed form"):
        Jacobian(torch.sin, torch.zeros(1, 1, 2, 2), "closed_form")

"""Products with a Jacobian are those of the function's values, or they are refused, whatever hides from autograd."""

from __future__ import annotations

import copy
import ctypes
import warnings

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from maps import differences, sphere
from operations import HIDING, SIZE, STEPS, Drawn, WrongTwice
from torch import nn

from manex.denoisers.base import Denoiser
from manex.errors import GeometryError, GeometryWarning
from manex.geometry.products import Jacobian

BACKENDS = ("auto", "linearized", "vjp", "jvp", "finite_difference")


def refused_or_true(names: list[str], residual: bool, seed: int) -> None:
    """Each backend's J, column by column and row by row, against central differences in float64.

    What hides from autograd may be so small a part of J that the check cannot see it either: less than a hundredth. Or
    the network bends too sharply for any check, as the sine of a product of sums does.
    """
    network = Drawn(names, residual, seed)
    points = torch.rand(2, 1, SIZE, SIZE, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    expected = differences(network, points)
    basis = torch.eye(SIZE**2, dtype=torch.float64).reshape(1, -1, 1, SIZE, SIZE).expand(2, -1, -1, -1, -1)
    for backend in BACKENDS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                jacobian = Jacobian(network, points, backend)
            except GeometryError:
                assert HIDING.keys() & names or backend not in ("auto", "finite_difference")
                continue
            columns, rows = jacobian.jvp(basis).flatten(2).mT, jacobian.dense()
        for found in (columns, rows):
            assert (found - expected).norm() <= (1e-2 if HIDING.keys() & names else 1e-5) * expected.norm()


drawn = given(
    names=st.lists(st.sampled_from(list(STEPS)), min_size=1, max_size=4),
    residual=st.booleans(),
    seed=st.integers(0, 2**31),
)


@pytest.mark.parametrize("name", STEPS)
def test_products_through_each_operation_are_those_of_the_values(name):
    refused_or_true([name], residual=True, seed=0)


@settings(max_examples=40, derandomize=True)
@example(names=["layer norm", "max pool"], residual=False, seed=0)  # torch.vmap cannot, with two points
@drawn
def test_products_of_random_networks_are_those_of_their_values(names, residual, seed):
    refused_or_true(names, residual, seed)


@pytest.mark.faults
@settings(max_examples=1000, derandomize=True)
@drawn
def test_products_of_many_random_networks_are_those_of_their_values(names, residual, seed):
    refused_or_true(names, residual, seed)


class Spread(nn.Module):
    """y -> y - f(h(y)) with a smooth h and an f to be tested; a class of its own, so that it is not taken as known."""

    def __init__(self, hidden=lambda h: h, last=lambda y: y) -> None:
        super().__init__()
        self.hidden, self.last = hidden, last
        self.net = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 1, 3, padding=1))
        generator = torch.Generator().manual_seed(3)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=generator) / 4)
        self.eval().requires_grad_(False)

    def forward(self, y):
        return self.last(y - self.hidden(self.net(y)))


def eight_bits(y):
    return (255 * y).round() / 255


def straight_through(y):
    return y + (eight_bits(y) - y).detach()


def by_pointer(y):
    copied, source = torch.empty_like(y), y.detach().contiguous()
    ctypes.memmove(copied.data_ptr(), source.data_ptr(), source.nbytes)
    return copied


@pytest.fixture
def points(generator):
    return torch.rand(2, 1, 12, 12, generator=generator)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("spread", [{"last": eight_bits}, {"hidden": eight_bits}, {"last": straight_through}])
def test_values_of_eight_bits_have_no_jacobian(spread, dtype, points):
    with pytest.raises(GeometryError, match="8 bits"):
        Jacobian(Spread(**spread).to(dtype), points.to(dtype))
    with pytest.raises(GeometryError, match="8 bits"):
        Jacobian(Spread(**spread).to(dtype), points.to(dtype), "finite_difference")


def test_a_network_in_half_precision_is_told_of_and_its_products_are_as_good_as_it_is(points):
    low = Spread().net.bfloat16()
    with pytest.warns(GeometryWarning, match="values are rounded"):
        jacobian = Jacobian(lambda y: y - low(y.bfloat16()).to(y.dtype), points)
    assert jacobian.exact
    expected = differences(Spread().double(), points.double())
    assert (jacobian.dense() - expected).norm() < 0.01 * expected.norm()


def test_a_network_under_autocast_is_told_of(points):
    with torch.autocast("cpu", torch.bfloat16), pytest.warns(GeometryWarning, match="values are rounded"):
        Jacobian(Spread(last=torch.Tensor.float), points)


@pytest.mark.parametrize(
    ("last", "dtype"),
    [
        (lambda y: torch.fft.ifft2(torch.fft.fft2(y)), "complex64"),
        (torch.Tensor.double, "float64"),
        (torch.Tensor.bfloat16, "bfloat16"),
        (lambda y: (255 * y).to(torch.uint8), "uint8"),
    ],
)
@pytest.mark.parametrize("backend", BACKENDS)
def test_another_dtype_is_refused(last, dtype, backend, points):
    with pytest.raises(GeometryError, match=rf"float32 into torch\.{dtype}"):
        Jacobian(Spread(last=last), points, backend)


def test_memory_filled_by_a_pointer_is_not_taken_for_a_constant(points):
    with pytest.warns(GeometryWarning, match="finite differences instead"):
        jacobian = Jacobian(Spread(hidden=by_pointer).double(), points.double())
    expected = differences(Spread().double(), points.double())
    torch.testing.assert_close(jacobian.dense(), expected, rtol=1e-5, atol=1e-7)


def test_a_backward_that_is_nan_where_values_are_not_is_replaced(points):
    trapped = Spread(hidden=lambda h: torch.where(h > -9, h, h.sqrt()))
    with pytest.warns(GeometryWarning, match="vjp is wrong"):
        assert Jacobian(trapped, points).backend == "finite_difference"


@pytest.mark.parametrize("backend", ["vjp", "jvp"])
def test_a_wrong_backward_is_refused_by_name(backend, points):
    function = Spread(hidden=lambda h: WrongTwice.apply(h))
    with pytest.raises(GeometryError, match=f"{backend} is wrong: .* off"):
        Jacobian(function, points, backend)
    expected = differences(copy.deepcopy(function).double(), points.double())
    with pytest.warns(GeometryWarning, match="vjp is wrong"):
        found = Jacobian(Unknown(function).double(), points.double()).dense()
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-7)


class Unknown(nn.Module):
    """With an operation that linearisation does not know."""

    def __init__(self, network) -> None:
        super().__init__()
        self.network = network
        self.eval()

    def forward(self, y):
        return self.network(y.flip(3).flip(3))


class Claims(Denoiser):
    """y -> M y with a Jacobian that it says is `said`."""

    def __init__(self, true, said) -> None:
        super().__init__()
        self.true, self.said = true, said
        self.eval()

    def forward(self, noisy, sigma):
        return (noisy.flatten(1) @ self.true.T).view_as(noisy)

    def jacobian_product(self, noisy, sigma, vectors):
        return (vectors.flatten(2) @ self.said.T).view_as(vectors)


def test_a_closed_form_must_be_the_derivative_and_as_symmetric_as_it_promises(generator):
    point, matrix = sphere(generator, 1, 1, 3, 3), sphere(generator, 9, 9)
    symmetric = matrix + matrix.T
    assert Jacobian(Claims(symmetric, symmetric).at(0.1), point).backend == "closed_form"
    with pytest.raises(GeometryError, match=r"closed_form is wrong: J v is .* correct its jacobian_product"):
        Jacobian(Claims(symmetric, 1.02 * symmetric).at(0.1), point)
    with pytest.raises(GeometryError, match=r"closed_form is wrong: J\^T v is not the transpose"):
        Jacobian(Claims(matrix, matrix).at(0.1), point)


def test_a_warning_of_the_network_does_not_switch_autograd_off(points):
    def hidden(h):
        warnings.warn("this will change in the next version", FutureWarning, stacklevel=1)
        return h.flip(3)

    with pytest.warns(FutureWarning, match="next version"):
        assert Jacobian(Spread(hidden=hidden), points).backend == "vjp"


def test_an_error_of_the_function_is_its_own_and_no_reason_to_difference(points):
    def hidden(h):
        raise RuntimeError("out of luck")

    with pytest.raises(RuntimeError, match="out of luck"):
        Jacobian(Spread(hidden=hidden), points)


def test_clean_frames_on_kinks_are_no_reason_to_doubt_a_network(points):
    black = torch.zeros_like(points)
    black[..., 5:7] = 1.0  # the rest stays at the kink of every relu, and at the edge of the clamp
    network = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.ReLU(), nn.Conv2d(4, 1, 1, bias=False))
    jacobian = Jacobian(Unknown(nn.Sequential(network, nn.Hardtanh(0, 1))), black)
    assert jacobian.backend == "vjp"


def test_a_function_is_checked_at_its_first_second_fourth_eighth_jacobian(points):
    seen, runs = [], []
    function = Spread(hidden=lambda h: (seen.append(len(h)), h)[1])
    for _ in range(8):
        seen.clear()
        Jacobian(function, points)
        runs.append(len(seen))
    assert [run == 1 for run in runs] == [False, False, True, False, True, True, True, False]

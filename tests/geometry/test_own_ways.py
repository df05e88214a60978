"""What a function does besides computing is not mistaken for its Jacobian: hooks, buffers, state, other items."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
import torch
from maps import differences
from torch import nn

from manex.denoisers.network import NetworkDenoiser
from manex.errors import GeometryError, GeometryWarning
from manex.geometry.products import Jacobian


def network() -> nn.Sequential:
    """Of torch's own layers alone, which `Jacobian` trusts."""
    layers = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 1, 3, padding=1)).double()
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in layers.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) / 4)
    return layers.eval().requires_grad_(False)


@pytest.fixture
def points(generator: torch.Generator) -> torch.Tensor:
    return torch.rand(2, 1, 6, 6, dtype=torch.float64, generator=generator)


def hidden(y: torch.Tensor) -> torch.Tensor:
    return y.detach().roll(1, 3)


def hooked() -> nn.Module:
    net = network()
    net.register_forward_hook(lambda module, given, value: hidden(value))
    return net


def hooked_within() -> nn.Module:
    net = network()
    net[1].register_forward_pre_hook(lambda module, given: (hidden(given[0]),))
    return net


def overridden() -> nn.Module:
    net = network()
    net[1].forward = hidden
    return net


@pytest.mark.parametrize("build", [hooked, hooked_within, overridden])
def test_layers_of_torch_are_not_trusted_once_they_do_more_than_their_class_says(build, points):
    denoiser = NetworkDenoiser(build()).at(0.1)
    with pytest.warns(GeometryWarning, match="vjp is wrong"):
        jacobian = Jacobian(denoiser, points)
    expected = differences(denoiser, points)
    assert (jacobian.dense() - expected).norm() < 1e-5 * expected.norm()


@pytest.fixture
def hook_on_all_modules() -> Iterator[None]:
    handle = nn.modules.module.register_module_forward_hook(
        lambda module, given, value: hidden(value) if isinstance(module, nn.Tanh) else None
    )
    yield
    handle.remove()


@pytest.mark.usefixtures("hook_on_all_modules")
def test_nor_while_a_hook_is_on_all_modules(points):
    with pytest.warns(GeometryWarning, match="vjp is wrong"):
        Jacobian(NetworkDenoiser(network()).at(0.1), points)


@pytest.mark.parametrize("backend", ["auto", "linearized", "vjp", "finite_difference"])
@pytest.mark.parametrize(
    "function",
    [
        lambda y: y.mul_(0.9).sub_(0.1),
        nn.Sequential(nn.ReLU(inplace=True), *network()).eval(),
        NetworkDenoiser(nn.Sequential(nn.ReLU(inplace=True), *network()).eval()).at(0.1),
    ],
)
def test_frames_that_are_changed_in_place_are_told_of_and_put_back(function, backend, points):
    points -= 0.5
    given = points.clone()
    with pytest.raises(GeometryError, match="changes the frames that it is given"):
        Jacobian(function, points, backend)
    assert torch.equal(points, given)


class Buffered(nn.Module):
    """Returns the same memory at every call."""

    def __init__(self) -> None:
        super().__init__()
        self.net = network()
        self.kept: dict[torch.Size, torch.Tensor] = {}

    @torch.no_grad()
    def forward(self, y):
        return self.kept.setdefault(y.shape, torch.empty_like(y)).copy_(self.net(y))


@pytest.mark.filterwarnings("ignore:the denoiser is not differentiable")
def test_a_value_in_a_buffer_that_the_next_call_overwrites_is_copied(points):
    buffered = Buffered().eval()
    jacobian = Jacobian(buffered, points, memory_limit=1)  # points one by one
    expected = differences(buffered.net, points)
    assert (jacobian.dense() - expected).norm() < 1e-5 * expected.norm()
    assert torch.allclose(jacobian.value, buffered.net(points), rtol=1e-12)


@pytest.mark.parametrize(
    "mixing",
    [
        lambda y: y - 0.1 * y[:1],
        lambda y: y - 0.1 * y[-1:].roll(1, 3),
        lambda y: y - 0.1 * y.mean(0, keepdim=True),
        lambda y: y / len(y),
    ],
)
def test_items_that_depend_on_each_other_are_refused_even_if_the_first_two_come_later(mixing, points):
    Jacobian(mixing, points[:1])
    with pytest.raises(GeometryError, match="mixes the items of a batch"):
        Jacobian(mixing, points)


class Alike:
    """Functions that compare equal."""

    def __init__(self, function) -> None:
        self.function = function

    def __call__(self, y):
        return self.function(y)

    def __eq__(self, other):
        return isinstance(other, Alike)

    def __hash__(self):
        return 0


def test_the_verdict_on_a_function_does_not_hold_for_another_that_compares_equal(points):
    net = network()
    honest, other = Alike(lambda y: y - net(y).roll(1, 3)), Alike(lambda y: y - hidden(net(y)))
    assert Jacobian(honest, points).backend == "vjp"
    with pytest.warns(GeometryWarning, match="vjp is wrong"):
        Jacobian(other, points)


class Sometimes(nn.Module):
    """Hides from autograd at low noise, or on dark frames."""

    def __init__(self) -> None:
        super().__init__()
        self.net = network()

    def forward(self, y, sigma):
        noise = self.net(y).roll(1, 3)
        return y - (noise.detach() if sigma < 0.05 or y.mean() < 0.25 else noise)


def test_the_verdict_at_one_noise_level_does_not_hold_for_another(points):
    denoiser = Sometimes().eval()
    assert Jacobian(partial(denoiser, sigma=0.1), points).exact
    with pytest.warns(GeometryWarning, match="vjp is wrong"):
        Jacobian(partial(denoiser, sigma=0.01), points)


def test_the_verdict_at_some_points_is_checked_again_at_others(points):
    at = partial(Sometimes().eval(), sigma=0.1)
    assert Jacobian(at, points).exact
    for other in (points / 10, points):  # once wrong, never taken again
        with pytest.warns(GeometryWarning, match="vjp is wrong"):
            assert not Jacobian(at, other).exact


@pytest.mark.parametrize("value", [None, [1], 0.5])
def test_what_is_no_tensor_is_refused(value, points):
    with pytest.raises(GeometryError, match="a Jacobian with eigenvectors needs the shape kept"):
        Jacobian(lambda y: value, points)

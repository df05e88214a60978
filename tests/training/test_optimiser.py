from __future__ import annotations

import copy

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from manex.training.optimiser import Optimiser, average_into, rate_factor


def network() -> nn.Module:
    torch.manual_seed(7)
    return nn.Sequential(
        nn.Conv2d(1, 6, 3), nn.SiLU(), nn.Conv2d(6, 5, 3), nn.SiLU(), nn.Flatten(), nn.Linear(20, 8), nn.Linear(8, 2)
    )


def loss_of(net: nn.Module, seed: int) -> Tensor:
    return net(torch.randn(4, 1, 6, 6, generator=torch.Generator().manual_seed(seed))).sub(1).square().mean()


def weights(net: nn.Module) -> list[Tensor]:
    return [parameter.detach().clone() for parameter in net.parameters()]


@pytest.mark.parametrize("kind", ["adam", "muon"])
def test_a_restored_optimiser_goes_on_bit_for_bit(kind: str) -> None:
    net = network()
    optimiser = Optimiser(net, kind, 0.01)
    for seed in range(3):
        optimiser.step(loss_of(net, seed), 1.0)
    twin = copy.deepcopy(net)
    restored = Optimiser(twin, kind, 0.01)
    restored.restore({name: value.clone() for name, value in optimiser.state().items()})
    for seed in range(3, 6):
        optimiser.step(loss_of(net, seed), 0.5)
        restored.step(loss_of(twin, seed), 0.5)
    assert all(torch.equal(a, b) for a, b in zip(weights(net), weights(twin), strict=True))


@pytest.mark.parametrize("kind", ["adam", "muon"])
def test_a_quadratic_is_minimised(kind: str) -> None:
    """|A B C - T|^2 over matrices, T within reach."""
    torch.manual_seed(7)
    net = nn.Sequential(*(nn.Linear(6, 6, bias=False) for _ in range(3)))
    inputs, target = torch.eye(6), 0.5 * torch.linalg.qr(torch.randn(6, 6))[0]
    optimiser = Optimiser(net, kind, 0.01)
    before = (net(inputs) - target).square().sum().item()
    for step in range(1500):
        optimiser.step((net(inputs) - target).square().sum(), 1 - step / 1500)
    assert (net(inputs) - target).square().sum().item() < 1e-3 * before


def test_muon_moves_a_filter_matrix_by_the_same_length_in_every_direction() -> None:
    net = network()
    before = net[2].weight.detach().clone()
    Optimiser(net, "muon", 0.02).step(loss_of(net, 0), 1.0)
    moved = torch.linalg.svdvals((before - net[2].weight.detach()).reshape(5, -1))
    assert moved.max() / moved.min() < 2  # the gradient's own spread is far larger, see the next test
    assert 0.5 * 0.02 < moved.median() < 1.5 * 0.02


def test_the_gradient_itself_prefers_directions() -> None:
    net = network()
    loss_of(net, 0).backward()
    spread = torch.linalg.svdvals(net[2].weight.grad.reshape(5, -1))
    assert spread.max() / spread.min() > 4


def test_adams_first_step_is_the_rate_whatever_the_gradient() -> None:
    net = network()
    before = weights(net)
    Optimiser(net, "adam", 0.01).step(1e3 * loss_of(net, 0), 0.5)
    for old, new in zip(before, weights(net), strict=True):
        torch.testing.assert_close((old - new).abs(), torch.full_like(old, 0.005), rtol=0.01, atol=0)


@pytest.mark.parametrize("kind", ["adam", "muon"])
def test_a_rate_of_zero_changes_nothing(kind: str) -> None:
    net = network()
    before = weights(net)
    Optimiser(net, kind, 0.01).step(loss_of(net, 0), 0.0)
    assert all(torch.equal(a, b) for a, b in zip(before, weights(net), strict=True))


@given(st.sampled_from(["linear", "halving", "flat"]), st.integers(1, 10_000), st.data())
def test_the_rate_is_never_zero_before_the_end_nor_above_one(decay: str, steps: int, data: st.DataObject) -> None:
    assert 0 < rate_factor(decay, data.draw(st.integers(0, steps - 1)), steps) <= 1


def test_the_linear_schedule_is_warm_flat_and_straight_to_zero() -> None:
    found = [rate_factor("linear", step, 1000) for step in (0, 49, 99, 300, 650, 1000)]
    assert found == pytest.approx([0.01, 0.5, 1, 1, 0.5, 0])


def test_the_halving_schedule_halves_nine_times_before_the_end() -> None:
    assert [rate_factor("halving", step, 1000) for step in (0, 99, 100, 999)] == [1, 1, 0.5, 0.5**9]


def test_the_average_of_constant_weights_is_the_weights() -> None:
    net, average = network(), network()
    for step in range(400):
        average_into(average, net, 0.9, step)
    for slow, fast in zip(weights(average), weights(net), strict=True):
        torch.testing.assert_close(slow, fast)


def test_the_average_is_the_exponential_one() -> None:
    net, average = nn.Linear(1, 1, bias=False).double(), nn.Linear(1, 1, bias=False).double()
    nn.init.zeros_(average.weight)
    for step in range(1000, 1005):
        nn.init.constant_(net.weight, step)
        average_into(average, net, 0.9, step)
    expected = sum(0.1 * 0.9 ** (1004 - step) * step for step in range(1000, 1005))
    assert average.weight.item() == pytest.approx(expected)


def test_without_decay_the_average_is_the_last() -> None:
    net, average = network(), network().requires_grad_(False)
    nn.init.constant_(net[0].weight, 3.0)
    average_into(average, net, 0.0, 0)
    assert torch.equal(average[0].weight, net[0].weight)


def test_weight_decay_shrinks_muons_matrices_alone() -> None:
    net = network()
    before = weights(net)
    optimiser = Optimiser(net, "muon", 0.02, weight_decay=0.5)
    optimiser.step(0.0 * loss_of(net, 0), 1.0)  # no gradient: what changes is decay
    inner = {id(weight) for weight in optimiser.weights}
    for old, new in zip(before, net.parameters(), strict=True):
        torch.testing.assert_close(new.detach(), old * (1 - 0.02 * 0.5 if id(new) in inner else 1))

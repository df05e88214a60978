"""What the bias-free networks have in common, and what each has of its own."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from manex.networks.bf_cnn import BFCNN
from manex.networks.bias_free import BiasFreeBatchNorm
from manex.networks.unet import UNet

Kind = Callable[[int], nn.Module]
KINDS: dict[str, Kind] = {"unet": lambda channels: UNet(channels, 4), "bf_cnn": lambda channels: BFCNN(channels, 6, 4)}
kinds = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def images(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=generator, dtype=torch.float64)


def network(kind: Kind, channels: int = 1) -> nn.Module:
    """In evaluation mode and float64, its norms as a training might leave them: not one, not small."""
    torch.manual_seed(7)
    net = kind(channels).double().eval()
    for name, tensor in net.state_dict().items():
        if name.endswith(("gamma", "running_sd")):
            tensor.copy_(0.5 + torch.rand(tensor.shape, dtype=torch.float64))
    return net


@kinds
def test_no_layer_has_a_bias(kind: Kind) -> None:
    net = network(kind)
    assert [name for name, _ in net.named_parameters() if "bias" in name] == []
    assert all(m.bias is None for m in net.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d))


@kinds
@pytest.mark.parametrize("factor", [1e-3, 0.5, 3.0, 1e3])
def test_the_network_is_homogeneous(kind: Kind, factor: float, generator: torch.Generator) -> None:
    net, y = network(kind), images(generator, 2, 1, 20, 20)
    assert net(y).abs().max() > 1e-3
    torch.testing.assert_close(net(factor * y) / factor, net(y), rtol=1e-9, atol=1e-12)


@kinds
def test_the_network_is_its_own_jacobian_at_the_image(kind: Kind, generator: torch.Generator) -> None:
    net, y = network(kind), images(generator, 2, 1, 20, 20)
    value, product = torch.autograd.functional.jvp(net, y, y)
    torch.testing.assert_close(product, value, rtol=1e-9, atol=1e-12)


@kinds
def test_a_black_image_holds_no_noise(kind: Kind) -> None:
    assert network(kind)(torch.zeros(1, 1, 20, 20, dtype=torch.float64)).abs().max() == 0


@kinds
@settings(max_examples=15)
@given(st.integers(17, 40), st.integers(17, 40))
def test_images_of_any_size_keep_it(kind: Kind, height: int, width: int) -> None:
    assert network(kind)(torch.rand(1, 1, height, width, dtype=torch.float64)).shape == (1, 1, height, width)


@kinds
def test_colour_images_keep_their_channels(kind: Kind, generator: torch.Generator) -> None:
    assert network(kind, channels=3)(images(generator, 2, 3, 20, 20)).shape == (2, 3, 20, 20)


@kinds
def test_an_image_does_not_feel_the_others_in_its_batch(kind: Kind, generator: torch.Generator) -> None:
    net, y = network(kind), images(generator, 3, 1, 20, 20)
    torch.testing.assert_close(net(y), torch.cat([net(one) for one in y.split(1)]))


@kinds
def test_evaluation_changes_no_running_statistic(kind: Kind, generator: torch.Generator) -> None:
    net = network(kind)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    net(images(generator, 2, 1, 20, 20))
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())


def test_while_training_the_norm_gives_every_channel_the_spread_gamma(generator: torch.Generator) -> None:
    torch.manual_seed(7)
    norm = BiasFreeBatchNorm(4).double()
    nn.init.uniform_(norm.gamma, 0.5, 1.5)
    spread = norm(5 * images(generator, 8, 4, 6, 6)).std(dim=(0, 2, 3), unbiased=False)
    torch.testing.assert_close(spread, norm.gamma.detach().flatten(), rtol=1e-4, atol=0)


def test_the_original_sizes_have_the_originals_weights() -> None:
    """Kadkhodaie et al. 2024 name 7.66 million; Mohan et al. 2020 have 2 * 9 * 64 + 18 * (9 * 64^2 + 64)."""
    count = {kind: sum(p.numel() for p in kind().parameters()) for kind in (UNet, BFCNN)}
    assert count == {UNet: 7_659_264, BFCNN: 665_856}


def test_the_unet_pads_as_if_the_image_had_black_margins(generator: torch.Generator) -> None:
    net, y = network(KINDS["unet"]), images(generator, 1, 1, 20, 20)
    padded = torch.zeros(1, 1, 24, 24, dtype=torch.float64)
    padded[..., :20, :20] = y
    torch.testing.assert_close(net(y), net(padded)[..., :20, :20])


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_a_pixel_of_bf_cnn_depends_on_a_square_of_2_depth_plus_1(depth: int, generator: torch.Generator) -> None:
    net, y = network(lambda channels: BFCNN(channels, 16, depth)), images(generator, 1, 1, 21, 21).requires_grad_()
    (gradient,) = torch.autograd.grad(net(y)[0, 0, 10, 10], y)
    rows, columns = gradient[0, 0].nonzero().T
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (10 - depth, 10 + depth) * 2


def test_bf_cnn_moves_with_the_image_away_from_its_margins(generator: torch.Generator) -> None:
    net, y = network(lambda channels: BFCNN(channels, 6, 3)), images(generator, 1, 1, 20, 20)
    moved = net(y.roll((2, 5), (-2, -1)))
    inside = (..., slice(6, -6), slice(9, -6))
    torch.testing.assert_close(moved[inside], net(y).roll((2, 5), (-2, -1))[inside])

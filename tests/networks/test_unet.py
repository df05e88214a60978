from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from pipeline.networks.unet import UNet


def images(generator: torch.Generator, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=generator, dtype=torch.float64)


def network(channels: int = 1, width: int = 4) -> UNet:
    """In evaluation mode and float64, its norms as a training might leave them: not one, not small."""
    torch.manual_seed(7)
    net = UNet(channels, width).double().eval()
    for name, tensor in net.state_dict().items():
        if name.endswith(("gamma", "running_sd")):
            tensor.copy_(0.5 + torch.rand(tensor.shape, dtype=torch.float64))
    return net


def test_the_papers_width_has_7_66_million_weights() -> None:
    assert sum(parameter.numel() for parameter in UNet(1, 64).parameters()) == 7_659_264


def test_no_layer_has_a_bias() -> None:
    assert [name for name, _ in network().named_parameters() if "bias" in name] == []
    assert all(m.bias is None for m in network().modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d))


@pytest.mark.parametrize("factor", [1e-3, 0.5, 3.0, 1e3])
def test_the_network_is_homogeneous(factor: float, generator: torch.Generator) -> None:
    net, y = network(), images(generator, 2, 1, 20, 20)
    torch.testing.assert_close(net(factor * y) / factor, net(y), rtol=1e-9, atol=1e-12)


def test_the_network_is_its_own_jacobian_at_the_image(generator: torch.Generator) -> None:
    net, y = network(), images(generator, 2, 1, 20, 20)
    value, product = torch.autograd.functional.jvp(net, y, y)
    torch.testing.assert_close(product, value, rtol=1e-9, atol=1e-12)


def test_a_black_image_holds_no_noise() -> None:
    assert network()(torch.zeros(1, 1, 20, 20, dtype=torch.float64)).abs().max() == 0


@settings(max_examples=15, deadline=None)
@given(st.integers(17, 40), st.integers(17, 40))
def test_images_of_any_size_keep_it(height: int, width: int) -> None:
    assert network(width=2)(torch.rand(1, 1, height, width, dtype=torch.float64)).shape == (1, 1, height, width)


def test_the_padding_is_that_of_an_image_with_black_margins(generator: torch.Generator) -> None:
    net, y = network(), images(generator, 1, 1, 20, 20)
    padded = torch.zeros(1, 1, 24, 24, dtype=torch.float64)
    padded[..., :20, :20] = y
    torch.testing.assert_close(net(y), net(padded)[..., :20, :20])


def test_colour_images_keep_their_channels(generator: torch.Generator) -> None:
    assert network(channels=3)(images(generator, 2, 3, 20, 20)).shape == (2, 3, 20, 20)


def test_an_image_does_not_feel_the_others_in_its_batch(generator: torch.Generator) -> None:
    net, y = network(), images(generator, 3, 1, 20, 20)
    torch.testing.assert_close(net(y), torch.cat([net(one) for one in y.split(1)]))


def test_while_training_the_norm_gives_every_channel_the_spread_gamma(generator: torch.Generator) -> None:
    norm = next(module for module in network().modules() if hasattr(module, "gamma")).train()
    x = 5 * images(generator, 8, 4, 6, 6)
    spread = norm(x).std(dim=(0, 2, 3), unbiased=False)
    torch.testing.assert_close(spread, norm.gamma.detach().flatten(), rtol=1e-4, atol=0)


def test_evaluation_changes_no_running_statistic(generator: torch.Generator) -> None:
    net = network()
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    net(images(generator, 2, 1, 20, 20))
    assert all(torch.equal(before[name], tensor) for name, tensor in net.state_dict().items())

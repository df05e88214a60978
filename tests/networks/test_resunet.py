from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from manex.networks.resunet import ResUNet


def network(channels: int = 1, widths: tuple[int, ...] = (4, 6, 8)) -> nn.Module:
    """In float64, every weight drawn: nothing is left at zero."""
    net = ResUNet(channels, widths).double().eval()
    generator = torch.Generator().manual_seed(7)
    for tensor in net.state_dict().values():
        tensor.copy_(0.3 * torch.randn(tensor.shape, generator=generator, dtype=torch.float64))
    return net


def test_an_untrained_network_predicts_the_same_whatever_it_sees(generator: torch.Generator) -> None:
    torch.manual_seed(7)
    net = ResUNet(1, (4, 6, 8)).eval()
    noise = net(torch.rand(3, 1, 20, 20, generator=generator))
    torch.testing.assert_close(noise, net.head.bias.reshape(1, 1, 1, 1).expand_as(noise))


@settings(max_examples=15)
@given(st.integers(5, 40), st.integers(5, 40), st.integers(1, 3))
def test_images_of_any_size_keep_it(height: int, width: int, channels: int) -> None:
    frames = torch.rand(1, channels, height, width, dtype=torch.float64)
    assert network(channels)(frames).shape == frames.shape


@pytest.mark.parametrize("widths", [(3,), (4, 4), (8, 5, 7, 16)])
def test_any_number_of_levels_and_any_widths_will_do(widths: tuple[int, ...], generator: torch.Generator) -> None:
    frames = torch.rand(2, 1, 20, 20, generator=generator, dtype=torch.float64)
    assert network(widths=widths)(frames).shape == frames.shape


def test_an_image_does_not_feel_the_others_in_its_batch(generator: torch.Generator) -> None:
    net, y = network(), torch.rand(3, 1, 20, 20, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(net(y), torch.cat([net(one) for one in y.split(1)]))


def test_every_weight_can_learn(generator: torch.Generator) -> None:
    net = network()
    net(torch.rand(2, 1, 20, 20, generator=generator, dtype=torch.float64)).square().sum().backward()
    assert [name for name, p in net.named_parameters() if p.grad is None or not p.grad.any()] == []

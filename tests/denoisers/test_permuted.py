from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from manex.denoisers.mixture import DiracMixture
from manex.denoisers.network import NetworkDenoiser
from manex.denoisers.permuted import PermutedDenoiser, pixel_order, shuffled
from manex.denoisers.wiener import Wiener
from manex.geometry.products import Jacobian
from manex.networks.unet import UNet
from manex.noises.free_field import FreeField


@pytest.fixture
def frames(generator: Generator) -> Tensor:
    return torch.rand(12, 2, 4, 4, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("kind", [DiracMixture, Wiener])
def test_exact_denoisers_do_not_care_about_the_order_of_pixels(
    kind: type, frames: Tensor, generator: Generator
) -> None:
    order = pixel_order(3, 16)
    y = torch.rand(5, 2, 4, 4, generator=generator, dtype=torch.float64)
    again = PermutedDenoiser(kind(shuffled(frames, order)), order)
    torch.testing.assert_close(again(y, 0.2), kind(frames)(y, 0.2))


def test_shuffling_moves_all_channels_alike_and_can_be_undone(frames: Tensor) -> None:
    order = pixel_order(0, 16)
    moved = shuffled(frames, order)
    assert torch.equal(moved.flatten(2), frames.flatten(2)[:, :, order])
    assert torch.equal(shuffled(moved, order.argsort()), frames)
    assert torch.equal(order.sort().values, torch.arange(16))
    assert torch.equal(order, pixel_order(0, 16))
    assert not torch.equal(order, pixel_order(1, 16))


def test_the_jacobian_is_the_shuffled_one_and_is_linearized(generator: Generator) -> None:
    torch.manual_seed(0)
    network, order = NetworkDenoiser(UNet(1, 2).double().eval()), pixel_order(1, 64)
    y = torch.rand(3, 1, 8, 8, generator=generator, dtype=torch.float64)
    inner = Jacobian(network.at(0.1), shuffled(y, order)).dense()
    outer = Jacobian(PermutedDenoiser(network, order).at(0.1), y)
    assert outer.backend == "linearized"
    torch.testing.assert_close(outer.dense()[:, order][:, :, order], inner)
    v = torch.rand(3, 2, 1, 8, 8, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(outer.jvp(v).flatten(2), v.flatten(2) @ outer.dense().mT)


def test_it_says_what_the_denoiser_says_of_itself() -> None:
    inner = NetworkDenoiser(UNet(1, 2).eval(), sigma_range=(0.0, 0.2), homogeneous=True)
    outer = PermutedDenoiser(inner, pixel_order(0, 64))
    assert (outer.sigma_range, outer.homogeneous, outer.blind, outer.training) == ((0.0, 0.2), True, True, False)


def test_coloured_noise_is_refused(frames: Tensor) -> None:
    with pytest.raises(ValueError, match="white noise"):
        PermutedDenoiser(DiracMixture(frames, noise=FreeField(gamma=1)), pixel_order(0, 16))

"""The library's own denoisers, which `Jacobian` takes on trust: each passes the check that others must pass."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
import torch

from manex.arrays import Level
from manex.datasets.dataset import Dataset
from manex.datasets.walker import Walker, walker
from manex.denoisers.base import Denoiser
from manex.denoisers.conditional import ConditionalDenoiser
from manex.denoisers.network import NetworkDenoiser
from manex.denoisers.permuted import unshuffled
from manex.denoisers.total_variation import TotalVariation
from manex.geometry.backends import BACKENDS
from manex.geometry.check import complaint
from manex.geometry.products import Jacobian
from manex.networks.bf_cnn import BFCNN
from manex.networks.conditional import ConditionalUNet
from manex.networks.resunet import ResUNet
from manex.networks.unet import UNet
from pipeline.config.entries import named
from pipeline.config.names import closed_form, closed_forms

SIGMA = 0.1


@cache
def dataset() -> Dataset:
    return Dataset.of(walker(Walker(people=2, frames=8, dense=20, size=16)), held_out=3)


def conditional() -> Denoiser:
    network = ConditionalUNet(widths=(8, 8, 8, 8)).eval()
    for parameter in network.parameters():  # some begin as zeros
        torch.nn.init.normal_(parameter, std=0.1)
    return ConditionalDenoiser(network)


def closed(name: str) -> Callable[[], Denoiser]:
    return lambda: named(closed_form(name)).of(dataset()).eval()  # type: ignore[no-any-return]


OWN: dict[str, Callable[[], Denoiser]] = {
    **{name: closed(name) for name in closed_forms()},
    "total_variation": lambda: TotalVariation(iterations=5).eval(),
    "resunet": lambda: NetworkDenoiser(ResUNet(widths=(8, 8, 8, 8)).eval()),
    "unet": lambda: NetworkDenoiser(UNet(width=8).eval()),
    "bf_cnn": lambda: NetworkDenoiser(BFCNN(width=8, depth=4).eval()),
    "shuffled": lambda: unshuffled(NetworkDenoiser(UNet(width=8).eval()), 3, 16),
    "conditional": conditional,
}


class Unknown(Denoiser):
    """Not the library's own."""

    def __init__(self, denoiser: Denoiser) -> None:
        super().__init__()
        self.denoiser = denoiser
        self.eval()

    def forward(self, noisy: torch.Tensor, sigma: Level) -> torch.Tensor:
        clean: torch.Tensor = self.denoiser(noisy, sigma)
        return clean


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", OWN)
def test_what_is_taken_on_trust_would_pass_the_check(name: str, dtype: torch.dtype, generator: torch.Generator) -> None:
    torch.manual_seed(0)
    denoiser = OWN[name]().to(dtype)
    clean = dataset().frames[:1].to(dtype)
    noisy = clean + SIGMA * torch.randn(clean.shape, generator=generator).to(dtype)
    jacobian = Jacobian(denoiser.at(SIGMA), noisy)
    assert complaint(BACKENDS[jacobian.backend], denoiser.at(SIGMA), noisy) is None
    assert Jacobian(Unknown(denoiser).at(SIGMA), noisy).exact  # nor is it doubted as a part of something else

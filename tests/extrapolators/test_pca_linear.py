from __future__ import annotations

from itertools import islice

import torch
from torch import Generator, Tensor

from manex.denoisers.memoriser import Memoriser
from manex.extrapolators.pca_linear import PcaLinear
from manex.extrapolators.walk import walk
from manex.noises.draws import ItemNoise

AXES = torch.linalg.qr(torch.randn(16, 2, generator=Generator().manual_seed(3), dtype=torch.float64)).Q


def plane(coordinates: Tensor) -> Tensor:
    """A two-dimensional flat manifold of 4 x 4 images in the grey range."""
    return (0.5 + coordinates @ AXES.T).reshape(-1, 1, 4, 4)


def walked(cfg: PcaLinear, first: Tensor, second: Tensor, frames: int, generator: Generator) -> Tensor:
    known = Memoriser(plane(torch.randn(60, 2, generator=generator, dtype=torch.float64)))
    states = walk(cfg, known, first, second, ItemNoise([(0, 0)]))
    return torch.stack([state.frame for state in islice(states, frames)])[:, 0]


def test_a_straight_motion_on_a_flat_manifold_is_continued_exactly(generator: Generator) -> None:
    line = torch.tensor([[0.1, -0.2]]).double() + torch.arange(6)[:, None] * torch.tensor([[0.03, 0.05]]).double()
    truth = plane(line)
    cfg = PcaLinear(rank=2)
    torch.testing.assert_close(walked(cfg, truth[:1], truth[1:2], 4, generator), truth[2:], rtol=0, atol=1e-9)
    twice = cfg.model_copy(update={"speed": 2.0})
    torch.testing.assert_close(walked(twice, truth[:1], truth[1:2], 2, generator), truth[3::2], rtol=0, atol=1e-9)


def test_what_lies_off_the_manifold_is_dropped(generator: Generator) -> None:
    truth = plane(torch.arange(3)[:, None] * torch.tensor([[0.03, 0.05]]).double())
    off = torch.randn(16, 1, generator=generator, dtype=torch.float64)
    off = (off - AXES @ (AXES.T @ off)).reshape(1, 1, 4, 4)
    cfg = PcaLinear(rank=2)
    found = walked(cfg, truth[:1] + 0.1 * off, truth[1:2] - 0.3 * off, 1, generator)
    torch.testing.assert_close(found, truth[2:], rtol=0, atol=1e-9)

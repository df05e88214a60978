"""Taking images apart: a telescoping sum, in closed form for linear denoisers."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from circles import dataset, linear

from manex.analyses.base import Subject
from manex.analyses.decomposition import Decomposition, decompose, decomposition
from manex.denoisers.memoriser import Memoriser
from manex.denoisers.tikhonov import Tikhonov
from manex.denoisers.total_variation import TotalVariation

DATA = dataset()
FRAMES = DATA.held_out_frames + 0.1 * torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("denoiser", [Tikhonov(), TotalVariation(), Memoriser(DATA.training_frames)])
def test_the_parts_add_up_to_the_image(denoiser: torch.nn.Module) -> None:
    rest, parts = decompose(lambda y: denoiser(y, 0.1), FRAMES, 6)
    torch.testing.assert_close(rest + sum(parts), FRAMES, atol=1e-5, rtol=0)


def test_the_parts_of_a_linear_denoiser_are_its_powers() -> None:
    """r_k = A^k (1 - A) x."""
    gains = torch.tensor([0.9, 0.5, 0.2])
    denoiser = linear(gains).denoiser
    _, parts = decompose(denoiser.at(0.1), FRAMES, 4)
    once = FRAMES - denoiser(FRAMES, 0.1)
    for part in parts:
        torch.testing.assert_close(part, once, atol=1e-5, rtol=1e-4)
        once = denoiser(once, 0.1)


def test_a_projector_has_one_part() -> None:
    _, parts = decompose(linear(torch.ones(3)).denoiser.at(0.1), FRAMES, 3)
    assert float(parts[0].norm()) > 1
    assert max(float(part.norm()) for part in parts[1:]) < 1e-4


def test_on_an_atom_the_memoriser_has_nothing_more_to_do() -> None:
    near = FRAMES + 0.01 * torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    _, parts = decompose(Memoriser(FRAMES).at(0.02), near, 3)
    assert float(parts[0].norm()) > 0.1
    assert max(float(part.norm()) for part in parts[1:]) < 1e-4


def test_each_part_of_tikhonov_is_smoother_than_the_one_before() -> None:
    (_, noisy) = decomposition([Subject("t", "t", Tikhonov(), 0.0)], DATA, Decomposition(sigma=(0.2,), images=6))
    centroids = torch.tensor(noisy.columns["centroid"]).reshape(6, 6)
    assert (centroids.diff(dim=1) < 0).all()


def test_a_wave_has_its_own_frequency() -> None:
    """D = 0 leaves r_0 = x, a wave of period 4 about mid-grey, whose mean has no frequency."""
    wave = 0.5 + 0.5 * torch.cos(math.pi / 2 * torch.arange(8)).expand(8, 1, 8, 8)
    still = replace(DATA, frames=wave.clone(), clip=torch.zeros(8, dtype=torch.int64), held_out=torch.tensor([0]))
    nothing = Subject("zero", "zero", linear(torch.zeros(1)).denoiser, 0.0)
    clean, _ = decomposition([nothing], still, Decomposition(sigma=(0.1,), steps=1))
    constant, oscillating = 0.25, 0.125  # mean squares
    assert clean.columns["centroid"] == pytest.approx([0.25 * oscillating / (constant + oscillating)], rel=1e-5)
    assert clean.columns["energy"] == pytest.approx([(constant + oscillating) / 0.1**2], rel=1e-5)

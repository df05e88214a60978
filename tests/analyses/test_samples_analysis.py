"""Samples of priors that are known: where they end, and what they are compared with."""

from __future__ import annotations

import math

import pytest
import torch
from circles import dataset, linear
from torch import Tensor

from manex.analyses.base import Pictures, Rows, Subject
from manex.analyses.samples import HELD_OUT, Samples, samples
from manex.denoisers.base import Denoiser
from manex.denoisers.memoriser import Memoriser

DATA = dataset()
MEMORY = Subject("memoriser", "memoriser", Memoriser.of(DATA), 0.0)
CFG = Samples(samples=5, betas=(1.0, 0.3), shown=2)


def centred(frames: Tensor) -> Tensor:
    flat = frames.flatten(1).double()
    return torch.nn.functional.normalize(flat - flat.mean(1, keepdim=True))


def test_samples_of_a_finite_set_are_its_images() -> None:
    *parts, pictures, known = samples([MEMORY], DATA, CFG)
    assert [(part.columns["denoiser"][0], part.columns["beta"][0]) for part in parts] == [
        ("memoriser", 1.0),
        ("memoriser", 0.3),
    ]
    for part in parts:
        assert list(part.columns["cosine_train"]) == pytest.approx([1.0] * 5, abs=1e-3)
        ends = DATA.training_frames[list(part.columns["nearest_train"])]
        assert list(part.columns["norm"]) == pytest.approx(ends.flatten(1).norm(dim=1).tolist(), rel=1e-2)
    assert isinstance(pictures, Pictures)
    assert pictures.tensors["samples"].shape == pictures.tensors["nearest"].shape == (2, 2, 1, 8, 8)
    assert isinstance(known, Rows)


def test_held_out_images_are_compared_with_the_other_ones() -> None:
    *_, known = samples([], DATA, CFG)
    held_out = centred(DATA.held_out_frames)
    cosines = held_out @ held_out.T - 2 * torch.eye(len(held_out))
    assert known.columns["denoiser"] == [HELD_OUT] * 5
    assert list(known.columns["cosine_held_out"]) == pytest.approx(cosines.amax(1)[:5].tolist(), abs=1e-5)
    expected = (held_out @ centred(DATA.training_frames).T).amax(1)[:5]
    assert list(known.columns["cosine_train"]) == pytest.approx(expected.tolist(), abs=1e-5)


def test_without_held_out_images_nothing_is_compared_with_them() -> None:
    *parts, _ = samples([MEMORY], dataset(held_out=0), CFG)
    assert {part.columns["denoiser"][0] for part in parts} == {"memoriser"}
    assert all(math.isnan(cosine) for part in parts for cosine in part.columns["cosine_held_out"])


class Repelling(Denoiser):
    blind = True

    def forward(self, noisy: Tensor, sigma: float) -> Tensor:
        return 4 * noisy


def test_samples_that_leave_all_images_are_marked_and_are_numbers() -> None:
    found, *_ = samples([Subject("wild", "wild", Repelling(), 0.0)], DATA, CFG)
    assert all(found.columns["diverged"])
    numbers = ("level", "norm", "cosine_train", "cosine_held_out")
    assert all(math.isfinite(value) for name in numbers for value in found.columns[name])


def test_a_denoiser_that_knows_less_noise_starts_where_it_knows_it() -> None:
    shy = linear(torch.ones(3))
    shy.denoiser.sigma_range = (0.0, 60 / 255)
    found, *_ = samples([shy], DATA, CFG)
    assert found.columns["sigma_start_255"][0] == pytest.approx(60)

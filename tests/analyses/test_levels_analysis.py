"""Walks at several noise levels: the same numbers as the walk itself has, and best where the exact denoiser is sure."""

from __future__ import annotations

from itertools import islice

import pytest
import torch
from circles import dataset, linear

from manex.analyses.base import Subject
from manex.analyses.levels import Levels, levels
from manex.denoisers.mixture import DiracMixture
from manex.extrapolators.tangent_flow import TangentFlow
from manex.extrapolators.walk import walk
from manex.metrics.scores import score
from manex.noises.draws import ItemNoise

DATA = dataset()
FLOW = TangentFlow(sigma=0.5, substeps=1, draws=1)
ORACLE = Subject("oracle", "the circle", DiracMixture(DATA.dense), FLOW.sigma, FLOW, 6)


def test_every_row_is_the_score_of_the_walk_at_its_level_with_its_other_settings() -> None:
    cfg = Levels(sigma=(10 / 255, 40 / 255), seeds=(3, 4))
    parts = list(levels([ORACLE], DATA, cfg))
    assert [(p.columns["sigma_255"][0], p.columns["seed"][0]) for p in parts] == [(10, 3), (10, 4), (40, 3), (40, 4)]
    for part in parts:
        assert part.table == "levels"
        settings = TangentFlow(sigma=part.columns["sigma_255"][0] / 255, substeps=1, draws=1)
        first, second = DATA.videos[:, 0], DATA.videos[:, 1]
        noise = ItemNoise([(part.columns["seed"][0], video) for video in (0, 1, 2)])
        frames = [state.frame for state in islice(walk(settings, ORACLE.denoiser, first, second, noise), 6)]
        expected = score(DATA, torch.stack([first, second, *frames], 1).clamp(0, 1))
        assert list(part.columns["dtw_ssid"]) == [one.numbers["dtw_ssid"] for one in expected]
        assert list(part.columns["coverage"]) == [one.numbers["coverage"] for one in expected]
        assert list(part.columns["video"]) == [0, 1, 2]


def test_the_exact_denoiser_of_a_circle_walks_on_unless_the_noise_is_wider_than_the_circle() -> None:
    low, high = (part.columns["coverage"] for part in levels([ORACLE], DATA, Levels(sigma=(10 / 255, 10))))
    assert low == pytest.approx([0.5] * 3, abs=0.1)  # six steps of a twelfth
    assert max(high) < min(low) / 1.5  # every frame is the mean of the circle


def test_a_subject_without_the_settings_of_its_walk_is_refused() -> None:
    with pytest.raises(ValueError, match="walk: the settings of its walk are needed"):
        next(levels([linear(torch.ones(2))], DATA, Levels()))

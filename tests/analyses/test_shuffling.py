"""Shuffled pixels: exact denoisers do not care, so any loss is the network's bias."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
from circles import AXES, linear
from stills import SIZE, dataset, member, subject, tables

from manex.analyses.base import Subject
from manex.analyses.shuffling import Shuffling, shuffling
from manex.denoisers.memoriser import Memoriser
from manex.denoisers.oracle import Oracle
from manex.denoisers.permuted import PermutedDenoiser, pixel_order
from manex.denoisers.tikhonov import Tikhonov
from manex.denoisers.wiener import Wiener
from manex.errors import ManexError

DATA = dataset()


def found(*subjects: Subject, **cfg: object) -> pd.DataFrame:
    return tables(shuffling(subjects, DATA, Shuffling.model_validate(cfg)))["shuffling"]


@pytest.mark.parametrize("kind", [Memoriser, Wiener])
def test_an_exact_denoiser_of_shuffled_frames_is_that_of_the_frames(kind: type[Memoriser] | type[Wiener]) -> None:
    made = found(subject(kind.of(DATA)), points=4, vectors=10, shuffle=5, sigma=(0.6, 1.0))
    plain, again = (made[made["shuffled"] == n].drop(columns="shuffled").reset_index(drop=True) for n in (0, 1))
    assert len(plain) == 2 * 20
    pd.testing.assert_frame_equal(plain, again, rtol=1e-3, atol=1e-4)


def test_the_oracle_of_a_known_manifold_does_not_care_either() -> None:
    from circles import dataset as of_circle

    data = of_circle()
    (made,) = tables(shuffling([subject(Oracle.of(data))], data, Shuffling(points=2, vectors=2))).values()
    plain, again = (made[made["shuffled"] == n]["mse"].to_numpy() for n in (0, 1))
    assert plain == pytest.approx(again, rel=1e-3)


def test_a_denoiser_that_was_not_fitted_to_the_dataset_has_one_row_per_frame() -> None:
    made = found(subject(Tikhonov()), linear(torch.ones(3)), points=2, vectors=3)
    assert not made["shuffled"].any()
    assert len(made) == 2 * 2 * 20


def test_a_member_trained_on_shuffled_pixels_says_so() -> None:
    inner = PermutedDenoiser(Wiener(DATA.training_frames), pixel_order(0, SIZE**2))
    made = found(member("f/s", inner, shuffle=0), member("f/n", Wiener(DATA.training_frames)), points=1, vectors=2)
    assert made.groupby("denoiser")["shuffled"].unique().map(list).to_dict() == {"f/s": [1], "f/n": [0, 1]}


def test_a_projection_has_its_rank_for_trace_and_all_of_what_lies_in_it() -> None:
    made = found(linear(torch.ones(5)), points=3, vectors=5)
    seen = made.dropna()
    assert len(seen) == 2 * 3
    assert seen["trace"].to_numpy() == pytest.approx(5, abs=1e-4)
    shown = DATA.held_out_frames[[0, 1, 2]].flatten(1).double()
    expected = (shown @ AXES[:5].T).square().sum(1) / shown.square().sum(1)
    assert seen["energy"].to_numpy()[:3] == pytest.approx(expected.numpy(), abs=1e-4)


def test_without_held_out_frames_it_says_so() -> None:
    with pytest.raises(ManexError, match="no frame is held out"):
        next(shuffling([subject(Tikhonov())], dataset(held_out=0), Shuffling()))

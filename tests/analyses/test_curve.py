"""Errors against noise levels: linear and exact denoisers, whose curves are known."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
import torch
from stills import SIZE, Scaled, dataset, member, subject, tables

from manex.analyses.base import Subject
from manex.analyses.curve import Curve, curve
from manex.analyses.members import seen
from manex.datasets.dataset import Dataset
from manex.denoisers.memoriser import Memoriser
from manex.denoisers.mixture import DiracMixture
from manex.denoisers.wiener import Wiener
from manex.noises.free_field import FreeField

LEVELS = tuple(level / 255 for level in (100, 10, 25, 60))


def found(*subjects: Subject, data: Dataset | None = None, **cfg: object) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables `curve` and `errors`."""
    made = tables(curve(subjects, data or dataset(), Curve.model_validate({"sigma": LEVELS, **cfg})))
    return made["curve"], made["errors"]


def test_what_lets_all_through_has_slope_one_and_what_lets_nothing_through_has_slope_zero() -> None:
    summary, _ = found(subject(Scaled(1), "all"), subject(Scaled(0, 0.5), "nothing"))
    slopes = summary.set_index("denoiser")["slope"]
    assert slopes["all"].to_numpy() == pytest.approx(1, abs=1e-4)
    assert slopes["nothing"].to_numpy() == pytest.approx(0, abs=1e-4)


def test_levels_rise_and_the_noise_of_each_is_its_psnr_in() -> None:
    summary, _ = found(subject(Scaled(1)))
    rows = summary[summary["split"] == "train"]
    assert rows["sigma_255"].tolist() == [10, 25, 60, 100]
    assert rows["psnr_in"].tolist() == pytest.approx([-20 * math.log10(level / 255) for level in (10, 25, 60, 100)])
    assert rows["psnr"].to_numpy() == pytest.approx(rows["psnr_in"].to_numpy(), abs=0.2)  # 200 draws of 64 pixels


def test_the_trace_and_the_residual_of_a_scaling_are_exact() -> None:
    """D(y) = c y has J = c I, and leaves (1 - c) y over."""
    _, errors = found(subject(Scaled(0.25)), images=5)
    assert errors["trace"].to_numpy() == pytest.approx(0.25 * SIZE**2)
    _, all_through = found(subject(Scaled(1)), images=5)
    assert all_through["level"].to_numpy() == pytest.approx(0, abs=1e-6)


def test_a_wiener_denoiser_has_the_error_of_its_spectrum() -> None:
    """sum_k a_k s^2 / (a_k + s^2) on the frames it was fitted to, all of them: the rest is noise times constants."""
    data = dataset(count=500, held_out=0)
    wiener = Wiener(data.training_frames)
    summary, _ = found(subject(wiener), data=data, images=500)
    for sigma_255, mse in zip(summary["sigma_255"], summary["mse"], strict=True):
        square = (sigma_255 / 255) ** 2
        expected = float((wiener.variances * square / (wiener.variances + square)).sum()) / SIZE**2
        assert mse == pytest.approx(expected, rel=0.02)


def test_the_memoriser_of_one_frame_knows_it_at_every_level() -> None:
    data = dataset()
    one = DiracMixture(data.training_frames[:1])
    summary, errors = found(member("halves/n1_a", one, count=1, part="first"), images=8)
    psnr = summary.pivot_table(index="sigma_255", columns="split", values="psnr")
    assert psnr["train"].min() > 130
    assert psnr["held_out"].max() < 20
    assert summary[["n", "part"]].drop_duplicates().to_numpy().tolist() == [[1, "first"]]
    assert errors.groupby(["split", "sigma_255"]).size().eq(8).all()


@pytest.mark.parametrize(
    ("denoiser", "sigma"), [(Wiener, 0.2), (Memoriser, 1.2), (lambda frames: Scaled(0.6, 0.2), 0.2)]
)
def test_the_estimate_without_the_truth_has_the_mean_of_the_error(denoiser: type, sigma: float) -> None:
    data = dataset()
    made = denoiser(data.training_frames)
    summary, errors = found(subject(made), data=data, sigma=(sigma,), images=5000, probes=2)
    spread = errors.assign(gap=errors["sure"] - errors["mse"]).groupby(["split", "sigma_255"])["gap"].std()
    for row in summary[summary["split"] == "train"].itertuples():
        noise = 4 * spread["train", row.sigma_255] / math.sqrt(5000)
        assert row.sure == pytest.approx(row.mse, abs=noise)
        assert noise < 0.3 * row.mse


def test_without_white_noise_there_is_no_estimate_and_all_else_is_there() -> None:
    coloured = DiracMixture(dataset().training_frames, noise=FreeField(gamma=1))
    summary, _ = found(subject(coloured), images=4)
    assert summary["sure"].isna().all()
    assert np.isfinite(summary[["psnr", "mse", "level", "trace", "slope"]].to_numpy()).all()


def test_a_member_is_asked_for_its_own_part_and_others_for_all() -> None:
    data = dataset()
    known = data.training_frames
    assert torch.equal(seen(subject(Scaled(1)), data), known)
    assert torch.equal(seen(member("f/a", Scaled(1), part="second", count=5), data), known[20:25])
    assert torch.equal(seen(member("f/s", Scaled(1), shuffle=3), data), known)


def test_all_denoisers_see_the_same_noise() -> None:
    first, second = (found(subject(Scaled(0.5, 0.1), name), images=6)[1] for name in "ab")
    pd.testing.assert_frame_equal(first.drop(columns="denoiser"), second.drop(columns="denoiser"))


def test_without_held_out_frames_there_is_the_training_split_alone_and_one_level_has_no_slope() -> None:
    summary, _ = found(subject(Scaled(0.5)), data=dataset(held_out=0), sigma=(0.1,))
    assert summary["split"].tolist() == ["train"]
    assert summary["slope"].isna().all()

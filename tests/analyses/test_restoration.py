"""Images drawn again from measurements: what must hold whatever the denoiser, and what cannot be asked."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
from circles import dataset, linear

from manex.analyses.answers import rise
from manex.analyses.base import Pictures, Rows, Subject
from manex.analyses.restoration import Restoration, restoration
from manex.datasets.dataset import Dataset
from manex.denoisers.memoriser import Memoriser
from manex.denoisers.wiener import Wiener
from manex.errors import AnalysisError
from manex.noises.free_field import FreeField

DATA = dataset()
TASKS = {
    "hole": {"kind": "hole", "top": 2, "left": 2, "height": 4, "width": 4},
    "few": {"kind": "pixels", "share": 0.05},
}
SUBJECTS = [Subject(name, name, kind.of(DATA), 0.0) for name, kind in (("memoriser", Memoriser), ("wiener", Wiener))]


def settings(**changes: object) -> Restoration:
    return Restoration.model_validate({"tasks": TASKS, "images": 4, "samples": 3, "betas": (0.3,), **changes})


def table(cfg: Restoration, subjects: list[Subject] = SUBJECTS, data: Dataset = DATA) -> pd.DataFrame:
    parts = [part for part in restoration(subjects, data, cfg) if isinstance(part, Rows)]
    assert {part.table for part in parts} == {"restoration"}
    return pd.concat([pd.DataFrame(part.columns) for part in parts], ignore_index=True)


@pytest.fixture(scope="module")
def found() -> pd.DataFrame:
    return table(settings())


def test_every_method_answers_every_task(found: pd.DataFrame) -> None:
    ways = {(row.sampler, row.denoiser) for row in found.itertuples()}
    assert ways == {
        *((name, "") for name in ("pseudo_inverse", "gaussian", "memoriser")),
        *((way, s.name) for way in ("stochastic_ascent", "pgd", "admm", "hqs", "red") for s in SUBJECTS),
    }
    numbers = found.drop(columns=["beta", "energy_rise"]).select_dtypes("number")
    assert not numbers.isna().any(axis=None)
    ascent = found[found["sampler"] == "stochastic_ascent"]
    assert (ascent.groupby(["task", "denoiser", "image"])["sample"].nunique() == 4).all()


def test_the_mean_of_samples_errs_no_more_than_they_do_on_average(found: pd.DataFrame) -> None:
    ascent = found[found["sampler"] == "stochastic_ascent"].assign(mse=lambda rows: 10 ** (-rows["psnr"] / 10))
    single, mean = (
        rows.groupby(["task", "denoiser", "image"])["mse"].mean()
        for rows in (ascent[ascent["sample"] >= 0], ascent[ascent["sample"] < 0])
    )
    assert (mean <= single * (1 + 1e-4)).all()


def test_the_least_image_with_the_measurements_is_consistent(found: pd.DataFrame) -> None:
    rows = found[found["sampler"] == "pseudo_inverse"]
    assert rows["inconsistency"].max() < 1e-6
    assert rows["psnr_projected"].tolist() == pytest.approx(rows["psnr"].tolist(), abs=1e-3)
    assert set(zip(rows["task"], rows["kept"], strict=True)) == {("hole", 0.75), ("few", 3 / 64)}


def test_a_linear_symmetric_denoiser_lets_the_energy_of_red_fall_at_every_step() -> None:
    tikhonov = linear(torch.tensor([0.9, 0.7, 0.5, 0.2]))
    tikhonov.denoiser.requires_grad_(False)
    rows = table(settings(), [tikhonov]).query("sampler == 'red'")
    assert rows["energy_rise"].max() < 1e-3
    assert rise(torch.tensor([[4.0, 4.0], [2.0, 1.0], [3.0, 0.0]])).tolist() == [0.5, 0.0]


def test_pgd_with_the_gaussians_denoiser_ends_at_the_best_affine_estimator_for_noise_of_its_level() -> None:
    rows = table(settings(noise=0.5, sigma=0.5, steps=2000, samples=1, betas=(1.0,)), SUBJECTS[1:])
    answers = {name: part.reset_index(drop=True) for name, part in rows[rows["sample"] < 0].groupby("sampler")}
    assert answers["pgd"]["psnr"].tolist() == pytest.approx(answers["gaussian"]["psnr"].tolist(), abs=0.01)


def test_samples_do_not_depend_on_how_many_are_drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    few = table(settings(tasks={"few": TASKS["few"]}), SUBJECTS[:1])
    monkeypatch.setattr("manex.analyses.answers.BATCH", 3)
    pd.testing.assert_frame_equal(few, table(settings(tasks={"few": TASKS["few"]}), SUBJECTS[:1]), rtol=1e-4, atol=1e-3)


def test_a_task_alone_gives_the_numbers_that_it_gives_among_others(found: pd.DataFrame) -> None:
    alone = table(settings(tasks={"few": TASKS["few"]}), SUBJECTS[:1])
    among = found[(found["task"] == "few") & found["denoiser"].isin(["", "memoriser"])].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, among)


def test_the_strips_begin_with_the_truth_and_end_with_the_mean() -> None:
    *_, pictures = restoration(SUBJECTS[:1], DATA, settings())
    assert isinstance(pictures, Pictures)
    strips = pictures.tensors["strips"]
    assert strips.shape == (2, 7, 1, 8, 8)
    assert torch.equal(strips[:, 0], DATA.held_out_frames[:1].clamp(0, 1).expand(2, -1, -1, -1))
    assert not strips[0, 1, 0, 2:6, 2:6].any()


SHY = linear(torch.ones(3))
SHY.denoiser.sigma_range = (0.0, 10 / 255)
COLOURED = Subject("coloured", "coloured", Wiener.of(DATA, FreeField(gamma=0.5)), 0.0)


@pytest.mark.parametrize(
    ("cfg", "subject", "data", "said"),
    [
        (settings(tasks={"big": {"kind": "blocks", "size": 3}}), SUBJECTS[0], DATA, "tasks.big: blocks of 3 pixels"),
        (settings(tasks={"all": {**TASKS["hole"], "top": 0, "left": 0, "height": 8, "width": 8}}), SUBJECTS[0], DATA,
         "tasks.all: the hole leaves nothing"),
        (settings(), SUBJECTS[0], dataset(held_out=1), "1 held-out frame"),
        (settings(), SHY, DATA, "knows noise up to 10/255; lower sigma_255=15"),
        (settings(), COLOURED, DATA, "coloured noise"),
    ],
)  # fmt: skip
def test_what_cannot_be_restored_is_told(cfg: Restoration, subject: Subject, data: Dataset, said: str) -> None:
    with pytest.raises(AnalysisError, match=said):
        next(restoration([subject], data, cfg))

"""What is said of linear inverse problems solved with the prior of a denoiser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from pipeline.findings.base import Bound, Claim, NotRun, Tables

if TYPE_CHECKING:
    import pandas as pd

NETWORK = "unet"
BETA = 0.03
MEAN = -1
"""The number of the sample that stands for the mean of all, or for a method's only answer."""
TASKS = 10
GAIN = 0.3
"""In dB: what counts as better in a task."""
MISSING = ("hole_8", "hole_10", "pixels_30", "pixels_10")
"""Tasks in which pixels are missing."""
COMPLETE = ("blocks_2", "basis_25")
"""Tasks in which something is known of every pixel."""
NOISE = 2
"""In the measurements, as methods assume it, in 1/255."""
PGD_NOISE = 15
"""The same, where it is the level of PGD."""
PLUGGED = ("pgd", "admm", "hqs", "red")
KS = "stochastic_ascent"

ASCENT = "Kadkhodaie and Simoncelli 2021, Algorithm 2"
FIGURE_6 = "Kadkhodaie and Simoncelli 2021, Fig. 6"


def tasks_where_the_mean_beats_a_sample(tables: Tables) -> float:
    """By `GAIN`; a sample counts as samples do on average."""
    rows = _ascent(tables, BETA)
    mean = _by_task(rows[rows["sample"] == MEAN])
    single = _by_task(rows[rows["sample"] != MEAN])
    return _tasks_won(mean - single)


def tasks_where_the_mean_beats_affine(tables: Tables) -> float:
    """By `GAIN`."""
    rows = tables.rows("restoration", sampler=[KS, "gaussian"], sample=MEAN, noise_255=NOISE)
    affine, mean = rows[rows["sampler"] == "gaussian"], _own(rows, KS, BETA)
    return _tasks_won(_by_task(mean) - _by_task(affine))


def largest_inconsistency(tables: Tables) -> float:
    """RMS of R x - c over the samples of a task, of the task where it is largest."""
    rows = _ascent(tables, BETA)
    square = rows[rows["sample"] != MEAN].assign(square=rows["inconsistency_final"] ** 2)
    return float(np.sqrt(square.groupby(["dataset", "task"])["square"].mean().max()))


def cost_of_projection(tables: Tables) -> float:
    """PSNR of samples minus that with R^T (c - R x) added, of the task where it is largest."""
    rows = _ascent(tables, BETA)
    samples = rows[rows["sample"] != MEAN].groupby(["dataset", "task"])[["psnr", "psnr_projected"]].mean()
    return float((samples["psnr"] - samples["psnr_projected"]).max())


def gain_of_noise(tables: Tables) -> float:
    """Mean of samples at a small beta against that at beta 1, where it gains least."""
    rows = tables.rows("restoration", sampler=KS, denoiser=NETWORK, sample=MEAN, task=list(MISSING), noise_255=NOISE)
    small, one = (_by_task(rows[rows["beta"] == beta]) for beta in (BETA, 1.0))
    return _least(small - one)


def gain_over_plugged(tables: Tables) -> float:
    """Against the best of PGD, ADMM, half-quadratic splitting and RED, where it gains least."""
    return _least(_over_plugged(tables, MISSING))


def gain_where_nothing_is_missing(tables: Tables) -> float:
    """The same, where it gains most."""
    return float(_over_plugged(tables, COMPLETE).max())


def rise_of_energy(tables: Tables) -> float:
    """The largest rise of RED's energy in a step, as a share of its range."""
    rows = tables.rows("restoration", sampler="red", denoiser=NETWORK, noise_255=NOISE)
    return float(rows["energy_rise"].max())


def distance_from_affine(tables: Tables) -> float:
    """PSNR of PGD with the Wiener denoiser against the best affine estimator, where they differ most.

    PGD ends at the mean for noise of its own level, so this needs an analysis where both are the same.
    """
    rows = tables.rows("restoration", sampler=["pgd", "gaussian"], noise_255=PGD_NOISE)
    pgd, affine = _own(rows, "pgd", denoiser="wiener"), rows[rows["sampler"] == "gaussian"]
    return float((_by_task(pgd) - _by_task(affine)).abs().max())


def _ascent(tables: Tables, beta: float) -> pd.DataFrame:
    return tables.rows("restoration", sampler=KS, denoiser=NETWORK, beta=beta, noise_255=NOISE)


def _own(rows: pd.DataFrame, sampler: str, beta: float | None = None, denoiser: str = NETWORK) -> pd.DataFrame:
    """Rows of a sampler with a denoiser."""
    found = rows[(rows["sampler"] == sampler) & (rows["denoiser"] == denoiser)]
    found = found if beta is None else found[found["beta"] == beta]
    if not len(found):
        raise NotRun(f"restoration.csv has no row of {sampler} with {denoiser}")
    return found


def _over_plugged(tables: Tables, tasks: tuple[str, ...]) -> pd.Series:
    rows = tables.rows("restoration", denoiser=NETWORK, sample=MEAN, task=list(tasks), noise_255=NOISE)
    others = rows[rows["sampler"].isin(PLUGGED)].groupby(["dataset", "task", "sampler"])["psnr"].mean()
    return _by_task(_own(rows, KS, BETA)) - others.groupby(["dataset", "task"]).max()


def _by_task(rows: pd.DataFrame) -> pd.Series:
    """Mean PSNR."""
    return rows.groupby(["dataset", "task"])["psnr"].mean()


def _tasks_won(gains: pd.Series) -> float:
    """Of the dataset where they are fewest."""
    gains = gains.dropna()
    if (gains.groupby("dataset").size() < TASKS).any():
        raise NotRun(f"restoration.csv has fewer than {TASKS} tasks")
    return float((gains >= GAIN).groupby("dataset").sum().min())


def _least(gains: pd.Series) -> float:
    return float(gains.min())


CLAIMS = (
    Claim(
        "13.3",
        FIGURE_6,
        "The mean of 10 samples is blurrier but has the better PSNR: tasks of ten in which it beats one by 0.3 dB",
        Bound(low=8),
        tasks_where_the_mean_beats_a_sample,
    ),
    Claim(
        "13.4",
        ASCENT,
        "The prior is more than a Gaussian: tasks of ten in which the mean of 10 samples beats the best affine "
        "estimator by 0.3 dB",
        Bound(low=7),
        tasks_where_the_mean_beats_affine,
    ),
    Claim(
        "13.5",
        ASCENT,
        "Samples agree with the measurements after the final denoising: RMS of R x - c in the worst task",
        Bound(high=0.06),
        largest_inconsistency,
    ),
    Claim(
        "13.5b",
        ASCENT,
        "A projection onto the measurements makes samples agree exactly, and costs nothing: dB in the worst task",
        Bound(high=0.1),
        cost_of_projection,
    ),
    Claim(
        "13.6",
        ASCENT,
        "Noise on the way matters: beta 0.03 against beta 1 where pixels are missing, dB in the worst task",
        Bound(low=1),
        gain_of_noise,
    ),
    Claim(
        "15.3",
        "Kadkhodaie and Simoncelli 2021, against plug-and-play methods and RED",
        "Coarse-to-fine ascent beats the best of PGD, ADMM, half-quadratic splitting and RED with the same network "
        "where pixels are missing: dB in the worst task",
        Bound(low=1),
        gain_over_plugged,
    ),
    Claim(
        "15.3b",
        "ours",
        "It does not where something is known of every pixel: dB in the best of `blocks_2` and `basis_25`",
        Bound(high=1),
        gain_where_nothing_is_missing,
    ),
    Claim(
        "15.4",
        "Reehorst and Schniter 2019",
        "RED with a trained network descends no energy: the largest rise of its energy in a step, as a share of its "
        "range",
        Bound(low=0.001),
        rise_of_energy,
    ),
    Claim(
        "15.5",
        "ours, a check",
        "PGD with the Wiener denoiser ends at the best affine estimator: dB between them in the worst task",
        Bound(high=0.05),
        distance_from_affine,
    ),
)

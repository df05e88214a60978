"""From memorisation to generalisation: networks of more and more frames, and of two halves.

They are those of the profile `analyses`: the family `halves`, trained on the first N frames of one half (`a`) and of
the other (`b`), all for the same number of steps but `n100_long_a`, which has four times as many.
"""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.findings.base import Bound, Claim, Tables

if TYPE_CHECKING:
    import pandas as pd

FRAMES = (1, 10, 30, 100, 1000, 2000)
SIGMA = 25
OWN = ["cosine_own_a", "cosine_own_b"]


def decibels(errors: pd.Series[float]) -> float:
    """PSNR of a mean squared error, up to 138 dB, where float32 ends."""
    return -10 * math.log10(max(float(errors.mean()), 2.0**-46))


def gaps(tables: Tables, *members: str) -> list[float]:
    """PSNR on the frames trained on minus that on held-out ones, of each member of the family."""
    rows = tables.rows("errors", sigma_255=SIGMA, denoiser=[f"halves/{member}" for member in members])
    known = {key: decibels(errors) for key, errors in rows.groupby(["denoiser", "split"])["mse"]}
    both = ([known.get((f"halves/{member}", split), math.nan) for split in ("train", "held_out")] for member in members)
    return [train - held_out for train, held_out in both]


def gap(tables: Tables, n: int) -> float:
    """The gap of N frames, mean of both halves."""
    return float(np.mean(gaps(tables, f"n{n}_a", f"n{n}_b")))


def rises(tables: Tables) -> float:
    """How far the gaps are from falling with N: the largest rise, and 1 dB more for each further rise."""
    each = gaps(tables, *(f"n{n}_{half}" for n in FRAMES for half in "ab"))
    steps = np.diff(np.reshape(each, (len(FRAMES), 2)).mean(1))
    if np.isnan(steps).any():
        return math.nan
    up = steps[steps > 0]
    return float(up.max() + len(up) - 1) if len(up) else 0.0


def longer(tables: Tables) -> float:
    """The gap of 100 frames after four times the steps, minus that after as many as all others had."""
    long, short = gaps(tables, "n100_long_a", "n100_a")
    return long - short


def samples(tables: Tables, beta: float, *frames: int) -> list[pd.DataFrame]:
    """The samples of the two networks, for each number of frames."""
    rows = tables.rows("twins", beta=beta, denoiser=[f"halves/n{n}_a" for n in frames])
    return [rows[rows["n"] == n] for n in frames]


def median(cosines: NDArray[np.float64]) -> float:
    """Of those that there are."""
    known = cosines[np.isfinite(cosines)]
    return float(np.median(known)) if len(known) else math.nan


def own(rows: pd.DataFrame) -> float:
    """Median cosine with the nearest frame trained on, over the samples of both networks."""
    return median(rows[OWN].to_numpy())


def twins(rows: pd.DataFrame) -> float:
    """Median cosine of the two networks' samples."""
    return median(rows["cosine_twins"].to_numpy())


def lead(rows: pd.DataFrame) -> float:
    """How much more alike the samples are to each other than to frames trained on."""
    return twins(rows) - own(rows)


def crossing(tables: Tables) -> float:
    """Positive where the lead is negative for 10 frames and positive for 2,000: the smaller distance from zero."""
    few, many = (lead(rows) for rows in samples(tables, 0.1, 10, 2000))
    return float(np.min([-few, many]))


def best_memoriser(tables: Tables) -> float:
    """The largest lead of exact denoisers of the two halves, over N and beta."""
    rows = tables.rows("twins", denoiser="memoriser")
    return float(np.max([lead(some) for _, some in rows.groupby(["n", "beta"])]))


def disagreement(tables: Tables, n: int) -> float:
    """|D_a - D_b|^2 over the sum of both squared errors, on held-out frames."""
    rows = tables.rows("functions", n=n, sigma_255=SIGMA, denoiser=f"halves/n{n}_a")
    return float(rows["difference"].sum() / (rows["error_a"].sum() + rows["error_b"].sum()))


CURVES = "Kadkhodaie et al. 2024, from memorisation to generalisation"
HALVES = "Kadkhodaie et al. 2024, networks of disjoint sets"
STEPS = "Bonnaire et al. 2025: the time to memorise grows with N"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "24.1a",
        CURVES,
        "A network of 10 frames is far better on them than on held-out frames: PSNR difference at 25/255, dB",
        Bound(low=5),
        partial(gap, n=10),
    ),
    Claim(
        "24.1b",
        CURVES,
        "A network of 2,000 frames is as good on held-out frames: PSNR difference at 25/255, dB",
        Bound(high=0.5),
        partial(gap, n=2000),
    ),
    Claim(
        "24.2",
        CURVES,
        "The difference falls with the number of frames: its largest rise, dB, and 1 for each further rise",
        Bound(high=0.2),
        rises,
    ),
    Claim(
        "24.3a",
        HALVES,
        "Networks of 1 and of 10 frames draw these frames: least median cosine of samples (beta 1) with the nearest",
        Bound(low=0.98),
        lambda tables: float(np.min([own(rows) for rows in samples(tables, 1, 1, 10)])),
        "sample",
    ),
    Claim(
        "24.3b",
        HALVES,
        "From the same noise two networks of 1 or of 10 frames draw different images: largest median cosine (beta 1)",
        Bound(high=0.6),
        lambda tables: float(np.max([twins(rows) for rows in samples(tables, 1, 1, 10)])),
        "sample",
    ),
    Claim(
        "24.4a",
        HALVES,
        "From the same noise two networks of 2,000 disjoint frames draw nearly the same: median cosine (beta 1)",
        Bound(low=0.85),
        lambda tables: twins(samples(tables, 1, 2000)[0]),
        "sample",
    ),
    Claim(
        "24.4b",
        HALVES,
        "Their samples are more like each other than like frames trained on: difference of median cosines (beta 1)",
        Bound(low=0.15),
        lambda tables: lead(samples(tables, 1, 2000)[0]),
        "sample",
    ),
    Claim(
        "24.5",
        HALVES,
        "The same with noise (beta 0.1) changes sides between 10 and 2,000 frames: smaller distance from zero",
        Bound(low=0),
        crossing,
        "sample",
    ),
    Claim(
        "24.6a",
        HALVES,
        "Two networks of 2,000 frames are nearly one function: disagreement at 25/255 on held-out frames",
        Bound(high=0.25),
        partial(disagreement, n=2000),
    ),
    Claim(
        "24.6b",
        HALVES,
        "Two networks of 10 frames are not: disagreement at 25/255 on held-out frames",
        Bound(low=0.6),
        partial(disagreement, n=10),
    ),
    Claim(
        "24.7",
        HALVES,
        "The exact denoisers of the two halves never agree, whatever N: their largest difference of median cosines",
        Bound(high=0),
        best_memoriser,
        "sample",
    ),
    Claim(
        "24.8",
        STEPS,
        "Four times the steps memorise more: gap of a network of 100 frames, long minus short training, dB",
        Bound(low=0),
        longer,
    ),
)

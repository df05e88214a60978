"""What the report card says of networks and of classical denoisers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pipeline.findings.base import Bound, Claim, NotRun, Tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

NETWORKS = ("bf_cnn", "diffusion", "resunet", "unet")
"""Trained on all training frames. A member of a family has seen only some of them."""
CLASSICAL = ("non_local_means", "tikhonov", "total_variation", "wavelet")
CALIBRATED = Bound(0.8, 1.25)

MILANFAR = "Milanfar and Delbracio 2024, sec. 1: a denoiser is ideal if its Jacobian is symmetric"
STEIN = "Stein 1981: sigma^2 E tr J = E |D - x|^2 for D = E[x|y]"
PARTS = "Stein 1981: E |y - D|^2 + E |D - x|^2 = N sigma^2 for D = E[x|y]"


def least_asymmetry(tables: Tables) -> float:
    """Of the mean over images, for every network and level."""
    rows = tables.rows("card_images", denoiser=list(NETWORKS))
    return float(_groups(rows)["asymmetry"].mean().min())


def calibrations(tables: Tables, denoisers: Sequence[str]) -> pd.Series:
    """sigma^2 tr J / |D - x|^2 at 25/255 by dataset and denoiser."""
    rows = tables.rows("card_images", denoiser=list(denoisers), sigma_255=25).dropna(subset=["trace"])
    sums = _groups(rows)[["trace", "error"]].sum()
    return sums["trace"] / sums["error"]


def worst_calibration(tables: Tables) -> float:
    """The calibration of a network that is farthest from 1."""
    return _farthest(calibrations(tables, NETWORKS))


def memorisers_calibration(tables: Tables) -> float:
    """Of the dataset where it is largest."""
    return float(calibrations(tables, ["memoriser"]).max())


def uncalibrated_classics(tables: Tables) -> float:
    """How many of the four are outside the bound of the networks, on the dataset where they are fewest."""
    outside = ~calibrations(tables, CLASSICAL).between(CALIBRATED.low, CALIBRATED.high)
    by_dataset = outside.groupby("dataset").agg(["sum", "size"])
    if (by_dataset["size"] < len(CLASSICAL)).any():
        raise NotRun(f"card_images.csv has not all of {', '.join(CLASSICAL)} at 25/255")
    return float(by_dataset["sum"].min())


def worst_energy(tables: Tables) -> float:
    """(|y - D|^2 + |D - x|^2) / (N sigma^2) of a network at 25 and 60/255 that is farthest from 1."""
    parts = _groups(tables.rows("card_images", denoiser=list(NETWORKS), sigma_255=[25, 60]))[
        ["removed", "error"]
    ].mean()
    return _farthest(parts.sum(axis=1))


def _groups(rows: pd.DataFrame) -> pd.api.typing.DataFrameGroupBy:
    return rows.groupby(["dataset", "denoiser", "sigma_255"])


def _farthest(ratios: pd.Series) -> float:
    """The ratio that is farthest from 1: 0.8 is as far as 1.25. NaN if there is none."""
    if not len(ratios):
        return math.nan
    return float(max(ratios, key=lambda ratio: abs(math.log(ratio)) if ratio > 0 else math.inf))


CLAIMS = (
    Claim(
        "14.3",
        MILANFAR,
        "Trained networks are not conservative: |J - J^T| / |J + J^T| of the least asymmetric one",
        Bound(low=0.1),
        least_asymmetry,
    ),
    Claim(
        "14.4a",
        STEIN,
        "The Jacobian of a trained network is a calibrated error bar: sigma^2 tr J / |D - x|^2 on held-out frames at "
        "25/255, of the worst one",
        CALIBRATED,
        worst_calibration,
    ),
    Claim("14.4b", STEIN, "The memoriser is sure and wrong: the same", Bound(high=0.05), memorisers_calibration),
    Claim(
        "14.4c",
        STEIN,
        "Classical denoisers are not calibrated: how many of total variation, non-local means, Tikhonov and wavelet "
        "are outside 0.8 to 1.25",
        Bound(low=3),
        uncalibrated_classics,
    ),
    Claim(
        "14.5",
        PARTS,
        "A trained network splits noise and error as E[x|y] does: (|y - D|^2 + |D - x|^2) / (N sigma^2) at 25 and "
        "60/255, of the worst one",
        Bound(0.95, 1.05),
        worst_energy,
    ),
)

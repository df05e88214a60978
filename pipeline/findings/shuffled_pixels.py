"""Shuffled pixels: what a network owes to their order. An exact denoiser owes nothing to it.

Networks are those of the profile `analyses`: `unet`, and the member of the family `halves` that was trained for as many
steps on the same frames with their pixels shuffled, all alike.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pipeline.findings.base import Bound, Claim, Tables
from pipeline.findings.memorisation import SIGMA, decibels

if TYPE_CHECKING:
    import pandas as pd


def columns(tables: Tables, column: str, sigma_255: float = SIGMA) -> tuple[pd.Series[float], pd.Series[float]]:
    """A column for the network of all frames, and for that of frames with shuffled pixels."""
    names = ("unet", "halves/shuffled")
    plain, shuffled = (tables.rows("shuffling", denoiser=one, sigma_255=sigma_255)[column].dropna() for one in names)
    return plain, shuffled


def loss(tables: Tables, sigma_255: float) -> float:
    """What shuffling costs, in dB."""
    plain, shuffled = columns(tables, "mse", sigma_255)
    return decibels(plain) - decibels(shuffled)


def wider(tables: Tables) -> float:
    """The trace of the Jacobian for shuffled pixels, in units of that for pixels in order."""
    plain, shuffled = columns(tables, "trace")
    return float(shuffled.mean() / plain.mean())


def sparser(tables: Tables) -> float:
    """Energy of the image in the first eigenvectors: in order minus shuffled."""
    plain, shuffled = columns(tables, "energy")
    return float(plain.mean() - shuffled.mean())


def exact_loss(tables: Tables) -> float:
    """The largest difference that shuffling makes to an exact denoiser, in dB."""
    rows = tables.rows("shuffling", denoiser=["memoriser", "wiener"])
    plain, again = (rows[rows["shuffled"] == n].groupby(["denoiser", "sigma_255"])["mse"] for n in (0, 1))
    return float((plain.apply(decibels) - again.apply(decibels)).abs().max())


PIXELS = "Kadkhodaie et al. 2024, Fig. 6"

CLAIMS: tuple[Claim, ...] = (
    Claim(
        "14.6a",
        PIXELS,
        "A network trained on shuffled pixels denoises worse: loss of PSNR at 25/255, dB",
        Bound(low=1.5),
        partial(loss, sigma_255=25),
    ),
    Claim("14.6b", PIXELS, "The same at 50/255, dB", Bound(low=2.5), partial(loss, sigma_255=50)),
    Claim(
        "14.7",
        PIXELS,
        "Its eigenvalues decay more slowly: trace of the Jacobian at 25/255, shuffled over in order",
        Bound(low=1.3),
        wider,
    ),
    Claim(
        "14.8",
        PIXELS,
        "Its basis suits the image less: energy in the first 40 eigenvectors at 25/255, in order minus shuffled",
        Bound(low=0),
        sparser,
    ),
    Claim(
        "14.9",
        "closed form",
        "The exact denoisers memoriser and wiener do not care: largest difference of PSNR, dB, up to rounding",
        Bound(high=0.001),
        exact_loss,
    ),
)

"""What is left when a denoiser takes an image apart."""

from __future__ import annotations

import math

import pandas as pd

from pipeline.findings.base import Bound, Claim, Tables

SOURCE = "Milanfar and Delbracio 2024, sec. 2, eqs. (9) to (13)"
SMOOTHING = ("tikhonov", "total_variation", "perona_malik", "unet")
BLIND = ("resunet", "unet")


def least_share_falling(tables: Tables) -> float:
    """Of images whose r_0 has the higher centroid than r_1, for every denoiser and level."""
    groups = ["dataset", "denoiser", "sigma_255"]
    rows = pd.concat([tables.rows("decomposition", denoiser=name, input="noisy", k=[0, 1]) for name in SMOOTHING])
    first, second = (rows[rows["k"] == k].set_index([*groups, "image"])["centroid"] for k in (0, 1))
    return float((first > second).groupby(groups).mean().min())


def most_removed(tables: Tables) -> float:
    """|r_0| on clean frames over |r_0| on noisy ones, of the blind network and level where it is largest."""
    groups = ["dataset", "denoiser", "sigma_255"]
    clean, noisy = (
        tables.rows("decomposition", denoiser=list(BLIND), input=given, k=0).groupby(groups)["energy"].sum()
        for given in ("clean", "noisy")
    )
    return math.sqrt((clean / noisy).max())


CLAIMS = (
    Claim(
        "14.1",
        SOURCE,
        "The first residual is the high-pass one: share of noisy images in which r_0 has a higher mean frequency than "
        "r_1, of Tikhonov, total variation, Perona-Malik and unet where it is least",
        Bound(low=0.8),
        least_share_falling,
    ),
    Claim(
        "14.2",
        SOURCE,
        "A blind network leaves clean frames alone: norm of r_0 on clean frames over that on noisy ones, of the worst",
        Bound(high=0.3),
        most_removed,
    ),
)

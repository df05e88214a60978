"""What is said of samples from the prior of a denoiser, and of denoising by steps in the plane."""

from __future__ import annotations

from pipeline.findings.base import Bound, Claim, Tables

ASCENT = "Kadkhodaie and Simoncelli 2021, Algorithm 1"
PLANE = f"{ASCENT} and the figure of trajectories in the plane"
BETA = 0.1
HELD_OUT = "held out"


def gain_of_steps(tables: Tables) -> float:
    """Mean distance after one denoising over that after the ascent, at sigma 0.8."""
    means = tables.rows("plane", sigma=0.8)[["one_step", "iterative"]].mean()
    return float(means["one_step"] / means["iterative"])


def farthest_point(tables: Tables) -> float:
    """The largest distance after the ascent, at any level."""
    return float(tables.rows("plane")["iterative"].max())


def likeness(tables: Tables) -> float:
    """Median cosine of samples to the nearest held-out image, over the same of held-out images to another one.

    Of the dataset where it is smallest.
    """
    drawn, new = tables.rows("samples", denoiser="unet", beta=BETA), tables.rows("samples", denoiser=HELD_OUT)
    medians = [rows.groupby("dataset")["cosine_held_out"].median() for rows in (drawn, new)]
    return float((medians[0] / medians[1]).min())


def lost(tables: Tables) -> float:
    """Share of samples that left all images."""
    return float(tables.rows("samples", denoiser="unet", beta=BETA)["diverged"].mean())


CLAIMS = (
    Claim(
        "13.1",
        PLANE,
        "In the plane many small steps lead to the manifold, one denoising does not: how many times as far one "
        "denoising ends, at sigma 0.8",
        Bound(low=10),
        gain_of_steps,
        unit="point",
    ),
    Claim(
        "13.1b",
        PLANE,
        'Trajectories "always arrive at solutions on the signal manifold": distance of the farthest end',
        Bound(high=0.06),
        farthest_point,
        unit="point",
    ),
    Claim(
        "13.2",
        ASCENT,
        "Samples (`unet`, beta 0.1) are images: their median cosine to the nearest held-out image, over that of "
        "held-out images to another one",
        Bound(low=0.9),
        likeness,
        unit="sample",
    ),
    Claim(
        "13.2b",
        ASCENT,
        "The ascent ends (`unet`, beta 0.1): share of samples that left all images",
        Bound(high=0.05),
        lost,
        unit="sample",
    ),
)

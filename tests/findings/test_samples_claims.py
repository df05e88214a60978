"""The claims about samples, on tables whose numbers are known."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline.findings.base import NotRun, Tables
from pipeline.findings.samples import farthest_point, gain_of_steps, likeness, lost


def test_steps_are_judged_at_the_largest_noise_and_their_ends_at_every_level() -> None:
    levels, once, ends = [0.8, 0.8, 0.4], [0.3, 0.5, 0.1], [0.01, 0.03, 0.05]
    plane = pd.DataFrame({"dataset": "digits", "sigma": levels, "one_step": once, "iterative": ends})
    assert gain_of_steps(Tables({"plane": plane})) == pytest.approx(20)
    assert farthest_point(Tables({"plane": plane})) == 0.05


def test_samples_are_as_like_others_as_held_out_images_are() -> None:
    rows = [("unet", 0.1, 0.7, False), ("unet", 0.1, 0.6, True), ("unet", 1.0, 0.1, True), ("memoriser", 0.1, 1, False)]
    rows += [("held out", float("nan"), cosine, False) for cosine in (0.7, 0.8, 0.9)]
    table = pd.DataFrame(rows, columns=["denoiser", "beta", "cosine_held_out", "diverged"]).assign(dataset="digits")
    assert likeness(Tables({"samples": table})) == pytest.approx(0.65 / 0.8)
    assert lost(Tables({"samples": table})) == 0.5
    with pytest.raises(NotRun):
        lost(Tables({"samples": table[2:]}))
    with pytest.raises(NotRun):
        likeness(Tables({"samples": table[2:]}))

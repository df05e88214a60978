"""The claims about decompositions, on tables whose answer is known."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline.findings.base import Tables
from pipeline.findings.decompositions import CLAIMS, SMOOTHING
from pipeline.findings.verdict import Word, verdict


def rows(denoiser: str, given: str = "noisy", fall: float = 0.1, energy: float = 1.0) -> pd.DataFrame:
    """Ten images with two parts; the second is lower in frequency by `fall`."""
    names = {"dataset": "digits", "denoiser": denoiser, "sigma_255": 15, "input": given, "energy": energy}
    parts = [pd.DataFrame({**names, "image": range(10), "k": k, "centroid": 0.3 - k * fall}) for k in (0, 1)]
    return pd.concat(parts)


def word(which: int, *parts: pd.DataFrame) -> Word:
    return verdict(CLAIMS[which], Tables({"decomposition": pd.concat(parts)})).word


def test_every_denoiser_must_take_the_high_frequencies_first() -> None:
    rest = [rows(name) for name in SMOOTHING[1:]]
    assert word(0, rows(SMOOTHING[0]), *rest) == "holds"
    assert word(0, rows(SMOOTHING[0], fall=-0.1), *rest) == "fails"
    assert word(0, *rest) == "not run"


@pytest.mark.parametrize(("energy", "expected"), [(0.08, "holds"), (0.1, "fails")])
def test_what_is_taken_from_clean_frames_is_compared_as_a_norm(energy: float, expected: Word) -> None:
    """0.3 of the norm is 0.09 of the energy."""
    assert word(1, rows("unet"), rows("unet", "clean", energy=energy)) == expected

"""The claims about cards, on tables whose answer is known."""

from __future__ import annotations

import pandas as pd
import pytest

from pipeline.findings.base import Tables
from pipeline.findings.cards import CLAIMS, CLASSICAL
from pipeline.findings.verdict import Word, verdict

BY_ID = {claim.id: claim for claim in CLAIMS}


def rows(denoiser: str, sigma: float = 25, dataset: str = "digits", **numbers: float) -> pd.DataFrame:
    exact = {"error": 0.2, "removed": 0.8, "trace": 0.2, "asymmetry": 0.0}
    return pd.DataFrame(
        {"dataset": dataset, "denoiser": denoiser, "sigma_255": sigma, "image": range(12), **exact, **numbers}
    )


def word(identity: str, *parts: pd.DataFrame) -> Word:
    return verdict(BY_ID[identity], Tables({"card_images": pd.concat(parts)})).word


def test_an_exact_network_is_calibrated_and_conservative() -> None:
    exact = rows("unet"), rows("unet", 60)
    words = {identity: word(identity, *exact) for identity in ("14.3", "14.4a", "14.5")}
    assert words == {"14.3": "fails", "14.4a": "holds", "14.5": "holds"}


@pytest.mark.parametrize(("trace", "expected"), [(0.16, "holds"), (0.25, "holds"), (0.15, "fails"), (0.26, "fails")])
def test_the_worst_network_decides(trace: float, expected: Word) -> None:
    assert word("14.4a", rows("unet"), rows("resunet", trace=trace)) == expected
    assert word("14.4a", rows("unet"), rows("unet", dataset="faces", trace=trace)) == expected


def test_the_least_asymmetric_network_decides() -> None:
    assert word("14.3", rows("unet", asymmetry=0.3), rows("resunet", asymmetry=0.05)) == "fails"
    assert word("14.3", rows("unet", asymmetry=0.3), rows("wiener", asymmetry=0.0)) == "holds"


def test_a_memoriser_is_sure_and_wrong() -> None:
    assert word("14.4b", rows("memoriser", trace=0.001)) == "holds"
    assert word("14.4b", rows("memoriser", trace=0.2)) == "fails"


def test_three_of_the_four_classical_denoisers_are_counted_on_every_dataset() -> None:
    off = [rows(name, trace=0.4) for name in CLASSICAL[:3]]
    assert word("14.4c", *off, rows(CLASSICAL[3])) == "holds"
    assert word("14.4c", *off[:2], rows(CLASSICAL[2]), rows(CLASSICAL[3])) == "fails"
    assert word("14.4c", *off) == "not run"


def test_energy_is_judged_at_both_levels() -> None:
    assert word("14.5", rows("unet"), rows("unet", 60, removed=0.9)) == "fails"
    assert word("14.5", rows("unet"), rows("unet", 8, removed=0.9)) == "holds"


def test_a_network_without_a_jacobian_is_not_run() -> None:
    assert word("14.4a", rows("unet", trace=float("nan"))) == "not run"

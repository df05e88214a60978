"""Claims about memorisation and shuffled pixels, on tables whose numbers are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest

from pipeline.findings import memorisation, shuffled_pixels
from pipeline.findings.base import Claim, NotRun, Tables
from pipeline.findings.verdict import judged

CLAIMS: dict[str, Claim] = {claim.id: claim for claim in (*memorisation.CLAIMS, *shuffled_pixels.CLAIMS)}
GAPS = {1: 30.0, 10: 25.0, 30: 5.0, 100: 1.0, 1000: 0.1, 2000: 0.0}
SPLITS = ("train", "held_out")


def errors(gaps: Mapping[int, float], longer: float = 3.0) -> pd.DataFrame:
    """Eight images of each split; the two halves lie 0.4 dB around the gap."""
    members = {f"n{n}_{half}": gap + shift for n, gap in gaps.items() for half, shift in (("a", 0.2), ("b", -0.2))}
    members["n100_long_a"] = members["n100_a"] + longer
    splits = [(member, split, 20 + gap * (split == "train")) for member, gap in members.items() for split in SPLITS]
    rows = [
        {"denoiser": f"halves/{member}", "split": split, "image": image, "mse": 10 ** (-psnr / 10)}
        for member, split, psnr in splits
        for image in range(8)
    ]
    return pd.DataFrame(rows).assign(sigma_255=25.0)


def drawn(cosines: Mapping[int, tuple[float, float]], memoriser: float = 0.4) -> pd.DataFrame:
    """By N the cosine of twins and with their own frames, at both betas; of exact denoisers `memoriser` and 1."""
    found = [(f"halves/n{n}_a", n, beta, *pair) for n, pair in cosines.items() for beta in (1.0, 0.1)]
    found += [("memoriser", n, beta, memoriser, 1.0) for n in cosines for beta in (1.0, 0.1)]
    names = ["denoiser", "n", "beta", "cosine_twins", "cosine_own_a", "cosine_own_b"]
    parts = [pd.DataFrame([(*row, row[-1])] * 6, columns=names).assign(sample=range(6)) for row in found]
    return pd.concat(parts, ignore_index=True)


def tables(**known: pd.DataFrame) -> Tables:
    return Tables({name: table.assign(dataset="digits") for name, table in known.items()})


def value(name: str, known: Tables) -> float:
    return CLAIMS[name].statistic(known)


def word(name: str, known: Tables) -> str:
    """The verdict of a claim whose number is certain."""
    found = value(name, known)
    return judged(CLAIMS[name].bound, found, found)


def test_the_gap_is_the_mean_of_both_halves() -> None:
    known = tables(errors=errors(GAPS))
    assert value("24.1a", known) == pytest.approx(25)
    assert value("24.1b", known) == pytest.approx(0, abs=1e-9)
    assert value("24.8", known) == pytest.approx(3)
    assert [word(name, known) for name in ("24.1a", "24.1b", "24.2", "24.8")] == ["holds"] * 4


@pytest.mark.parametrize(
    ("gaps", "expected"),
    [
        ((30, 25, 5, 1, 0.5, 0.2), 0),
        ((30, 25, 5, 1, 0.1, 0.2), 0.1),
        ((30, 25, 5, 1, 0.1, 0.5), 0.4),
        ((25, 25.1, 5, 1, 0.1, 0.15), 1.1),  # one inversion is allowed, not two
    ],
)
def test_one_small_rise_of_the_gap_is_allowed_and_two_are_not(gaps: Sequence[float], expected: float) -> None:
    known = tables(errors=errors(dict(zip(GAPS, gaps, strict=True))))
    assert value("24.2", known) == pytest.approx(expected)
    assert (word("24.2", known) == "holds") == (expected <= 0.2)


@pytest.mark.parametrize(
    ("cosines", "words"),
    [
        (
            {1: (0.3, 1.0), 10: (0.3, 0.99), 2000: (0.9, 0.6)},
            {"24.3a": "holds", "24.3b": "holds", "24.4a": "holds", "24.4b": "holds", "24.5": "holds"},
        ),
        (
            {1: (0.3, 1.0), 10: (0.7, 0.9), 2000: (0.8, 0.85)},
            {"24.3a": "fails", "24.3b": "fails", "24.4a": "fails", "24.4b": "fails", "24.5": "fails"},
        ),
    ],
)
def test_samples_generalise_if_they_are_like_each_other_and_unlike_what_was_seen(
    cosines: Mapping[int, tuple[float, float]], words: Mapping[str, str]
) -> None:
    known = tables(twins=drawn(cosines))
    assert {name: word(name, known) for name in words} == words


def test_exact_denoisers_that_agreed_would_be_noticed() -> None:
    cosines = dict.fromkeys((10, 2000), (0.9, 0.6))
    assert value("24.7", tables(twins=drawn(cosines))) == pytest.approx(-0.6)
    assert word("24.7", tables(twins=drawn(cosines, memoriser=1.1))) == "fails"


def test_functions_disagree_by_the_ratio_of_sums() -> None:
    rows = pd.DataFrame({"n": 10, "denoiser": "halves/n10_a", "sigma_255": 25, "image": [0, 1], "error_b": [1.0, 2.0]})
    rows = rows.assign(difference=[2.0, 4.0], error_a=[1.0, 4.0])
    assert value("24.6b", tables(functions=rows)) == pytest.approx(6 / 8)


def test_what_shuffling_costs_is_a_difference_of_two_networks() -> None:
    rows = [
        {
            "denoiser": name,
            "shuffled": 0,
            "sigma_255": sigma,
            "image": image,
            "mse": mse,
            "trace": trace,
            "energy": energy,
        }
        for name, mse, trace, energy in (("unet", 0.001, 20.0, 0.95), ("halves/shuffled", 0.002, 30.0, 0.9))
        for sigma in (25, 50)
        for image in range(4)
    ]
    known = pd.DataFrame(rows)
    known.loc[known["image"] > 1, ["trace", "energy"]] = np.nan  # without a Jacobian
    assert value("14.6a", tables(shuffling=known)) == pytest.approx(10 * np.log10(2))
    assert value("14.7", tables(shuffling=known)) == pytest.approx(1.5)
    assert value("14.8", tables(shuffling=known)) == pytest.approx(0.05)
    assert word("14.7", tables(shuffling=known)) == "holds"


def test_the_largest_difference_of_exact_denoisers_counts() -> None:
    rows = [
        {"denoiser": name, "shuffled": n, "sigma_255": 25, "image": image, "mse": 0.01 * (1 + lost * n)}
        for name, lost in (("memoriser", 0.0), ("wiener", 0.01))
        for n in (0, 1)
        for image in range(3)
    ]
    assert value("14.9", tables(shuffling=pd.DataFrame(rows))) == pytest.approx(10 * np.log10(1.01))


@pytest.mark.parametrize("name", CLAIMS)
def test_without_its_table_a_claim_is_not_run(name: str) -> None:
    with pytest.raises(NotRun, match="no analysis has written"):
        value(name, Tables({}))


def test_without_one_of_its_networks_a_claim_has_no_number() -> None:
    known = errors(GAPS)
    assert np.isnan(value("24.2", tables(errors=known[known["denoiser"] != "halves/n30_b"])))
    assert np.isnan(value("24.3a", tables(twins=drawn({1: (0.3, 1.0)}))))

"""Verdicts: bounds and intervals decide, images are the units, and what was not analysed is said."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import UserError
from pipeline.findings.base import Bound, Claim, NotRun, Tables, all_claims
from pipeline.findings.verdict import judged, verdict

REAL = st.floats(-10, 10)


def table(values: np.ndarray, denoiser: str = "unet", dataset: str = "digits") -> pd.DataFrame:
    return pd.DataFrame({"dataset": dataset, "denoiser": denoiser, "image": range(len(values)), "error": values})


def mean_error(tables: Tables) -> float:
    return float(tables.rows("errors", denoiser="unet")["error"].mean())


def claim(bound: Bound, statistic: object = mean_error, unit: str = "image") -> Claim:
    return Claim("1.1", "a book", "errors are small", bound, statistic, unit)  # type: ignore[arg-type]


DRAWN = np.random.default_rng(1).normal(2, 1, 400)
TABLES = Tables({"errors": table(DRAWN)}, {("errors", "digits"): "manex analyse digits errors"})


@given(low=REAL, high=REAL, ends=st.tuples(REAL, REAL))
def test_a_verdict_is_certain_only_if_the_whole_interval_is_on_one_side(
    low: float, high: float, ends: tuple[float, float]
) -> None:
    (low, high), (left, right) = sorted((low, high)), sorted(ends)
    inside = [low <= value <= high for value in np.linspace(left, right, 101)]
    word = judged(Bound(low, high), left, right)
    assert (word == "holds") == (low <= left and right <= high)
    assert word != "fails" or not any(inside)
    assert word != "holds" or all(inside)


def test_the_interval_of_a_mean_is_that_of_the_normal_approximation() -> None:
    """1.96 standard errors on either side, up to what 200 resamples leave to chance."""
    found = verdict(claim(Bound(high=5)), TABLES)
    half = 1.96 * DRAWN.std(ddof=1) / math.sqrt(len(DRAWN))
    assert found.value == pytest.approx(DRAWN.mean())
    assert (found.value - found.low, found.high - found.value) == pytest.approx((half, half), rel=0.25)


@pytest.mark.parametrize(
    ("bound", "word"),
    [(Bound(high=3), "holds"), (Bound(low=3), "fails"), (Bound(low=2), "undecided"), (Bound(1.5, 2.5), "holds")],
)
def test_the_word_is_that_of_the_interval(bound: Bound, word: str) -> None:
    found = verdict(claim(bound), TABLES)
    assert found.word == word
    assert found.commands == ("manex analyse digits errors",)


def test_the_same_tables_give_the_same_interval() -> None:
    first, second = (verdict(claim(Bound()), TABLES) for _ in range(2))
    assert (first.low, first.high) == (second.low, second.high)


def test_what_is_paired_stays_paired() -> None:
    """Two denoisers on the same images: their errors scatter, the difference does not."""
    both = pd.concat([table(DRAWN), table(DRAWN + 0.5, "wiener")])

    def difference(tables: Tables) -> float:
        wiener = tables.rows("errors", denoiser="wiener")["error"]
        return float(wiener.mean() - tables.rows("errors", denoiser="unet")["error"].mean())

    found = verdict(claim(Bound(low=0), difference), Tables({"errors": both}))
    assert (found.low, found.high) == pytest.approx((0.5, 0.5))


def test_two_tables_see_the_same_draw() -> None:
    other = table(DRAWN - 1).rename(columns={"error": "other"})

    def difference(tables: Tables) -> float:
        return float(tables.rows("errors")["error"].mean() - tables.rows("others")["other"].mean())

    found = verdict(claim(Bound(low=0), difference), Tables({"errors": table(DRAWN), "others": other}))
    assert (found.low, found.high) == pytest.approx((1, 1))


def test_an_image_that_is_drawn_twice_counts_as_two() -> None:
    """So a count of images stays what it is, and each has all of its rows."""
    twice = pd.concat([table(DRAWN[:20]), table(DRAWN[:20])])

    def count(tables: Tables) -> float:
        rows = tables.rows("errors")
        assert (rows.groupby(["dataset", "image"]).size() == 2).all()
        return float(rows["image"].nunique())

    found = verdict(claim(Bound(), count), Tables({"errors": twice}))
    assert (found.value, found.low, found.high) == (20, 20, 20)


def test_every_dataset_keeps_its_number_of_images() -> None:
    two = pd.concat([table(DRAWN[:10]), table(DRAWN[:30], dataset="faces")])

    def share(tables: Tables) -> float:
        return float((tables.rows("errors")["dataset"] == "faces").mean())

    found = verdict(claim(Bound(), share), Tables({"errors": two}))
    assert (found.low, found.high) == (0.75, 0.75)


def test_a_dataset_that_the_claim_does_not_read_changes_nothing() -> None:
    more = pd.concat([table(DRAWN), table(DRAWN, "wiener", "faces")])
    found, alone = verdict(claim(Bound()), Tables({"errors": more})), verdict(claim(Bound()), TABLES)
    assert (found.low, found.high) == (alone.low, alone.high)


@pytest.mark.parametrize(
    ("tables", "reason"),
    [
        (Tables({}), "no analysis has written errors.csv"),
        (Tables({"errors": table(DRAWN, "wiener")}), "errors.csv has no row of denoiser unet"),
        (Tables({"errors": table(DRAWN).drop(columns="denoiser")}), "errors.csv has no column denoiser"),
        (Tables({"errors": table(np.full(3, np.nan))}), "its numbers are missing"),
    ],
)
def test_a_claim_whose_rows_are_missing_is_not_run_and_says_why(tables: Tables, reason: str) -> None:
    found = verdict(claim(Bound(high=3)), tables)
    assert (found.word, found.reason) == ("not run", reason)
    assert math.isnan(found.value)


def test_tables_that_are_not_as_written_are_an_error_with_the_command() -> None:
    spoilt = Tables({"errors": table(DRAWN).drop(columns="error")}, TABLES.commands)
    with pytest.raises(UserError, match=r"claim 1\.1: errors\.csv: damaged.*again with: manex analyse digits errors"):
        verdict(claim(Bound(high=3)), spoilt)


def test_a_list_of_values_will_do() -> None:
    both = Tables({"errors": pd.concat([table(DRAWN), table(DRAWN, "wiener"), table(DRAWN, "oracle")])})
    assert set(both.rows("errors", denoiser=["unet", "wiener"])["denoiser"]) == {"unet", "wiener"}
    with pytest.raises(NotRun):
        both.rows("errors", denoiser=[])


def test_the_claims_are_numbered_once_and_in_order() -> None:
    claims = [one for some in all_claims().values() for one in some]
    assert len({one.id for one in claims}) == len(claims) > 0
    assert all(list(some) == sorted(some, key=lambda one: one.place) for some in all_claims().values())
    assert all(one.source and one.claim and one.bound.low <= one.bound.high for one in claims)


def test_a_claim_without_its_tables_is_not_run() -> None:
    words = {verdict(one, Tables({})).word for some in all_claims().values() for one in some}
    assert words == {"not run"}

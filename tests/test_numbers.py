"""The scores in README and docs are those of the tables in reports/: a number that is out of date fails here."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": "reports",
    "docs/method.md": "reports",
    "docs/claims.md": "reports",
    "docs/rivals.md": "reports/rivals",
}
"""Each page, and the folder of its numbers."""
TITLES = {
    "rotated": "rotated_mnist",
    "translated": "translated_mnist",
    "walker": "walker",
    "weizmann": "weizmann",
    "rotated, held out": "rotated_held_out",
    "translated, held out": "translated_held_out",
}
QUOTED = re.compile(r"(" + "|".join(TITLES) + r"): ((?:`\w+` \d\.\d{4}(?:, | and )?)+)")
"""Scores in the text: a set and, after a colon, methods with their scores."""


def scores(folder: str) -> dict[tuple[str, str], str]:
    """DTW-SSID of each dataset and method, as pages print it; walks of the block `denoisers` are in their own table."""
    table = pd.concat(pd.read_csv(ROOT / folder / f"{name}.csv") for name in ("denoisers", "table1"))
    rows = zip(table["dataset"], table["method"], table["dtw_ssid"], strict=True)
    return {(dataset, method): "-" if pd.isna(score) else f"{score:.4f}" for dataset, method, score in rows}


def quoted(page: str) -> list[tuple[str, str, str]]:
    """Dataset, method and score of everything that a page says in its text."""
    return [
        (TITLES[title], method, score)
        for title, said in QUOTED.findall(page)
        for method, score in re.findall(r"`(\w+)` (\d\.\d{4})", said)
    ]


def tabled(page: str) -> list[tuple[str, str, str]]:
    """The same of its tables with a row per method and a column per dataset."""
    found, columns = [], []
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        if cells[:1] == ["method"]:
            columns = [TITLES.get(cell, "") for cell in cells[1:]]
        elif not cells:
            columns = []
        elif method := re.match(r"`(\w+)`", cells[0]):
            scored = zip(columns, cells[1:], strict=False)
            found += [(dataset, method[1], cell.strip("*")) for dataset, cell in scored if dataset]
    return found


@pytest.mark.parametrize("name", PAGES)
def test_a_page_says_what_table_1_says(name: str) -> None:
    page = (ROOT / name).read_text()
    known = scores(PAGES[name])
    said = quoted(page) + tabled(page)
    assert said, f"{name} has no scores that this test can find"
    assert [(*cell, score) for *cell, score in said if known.get((cell[0], cell[1]), "-") != score] == []

"""README's lines of Python, as a reader would run them, and its numbers, as reports/ has them."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
DATASETS = ("rotated_mnist", "translated_mnist", "walker", "weizmann")


def test_readmes_python_walks_near_the_truth() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    names: dict[str, list[float]] = {}
    exec(code, names)
    assert len(names["scores"]) == 2
    assert max(names["scores"]) < 0.05  # standing still scores 0.3


def test_readme_is_short() -> None:
    assert len(README.splitlines()) < 110


def test_readmes_table_says_what_table_1_says() -> None:
    """Exact alignment, greedy alignment, coverage; bold type is for readers."""
    table = pd.read_csv(ROOT / "reports" / "table1.csv").set_index(["dataset", "method"])
    assert set(DATASETS) == set(table.index.levels[0])
    rows = re.findall(r"^\| `(\w+)` \| (.+) \|$", README, re.MULTILINE)
    rows = [(method, cells.replace("*", "").split(" | ")) for method, cells in rows if method in table.index.levels[1]]
    assert {method for method, _ in rows} == set(table.index.levels[1])
    for method, cells in rows:
        known = [table.loc[(dataset, method)] for dataset in DATASETS]
        exact, greedy = ([_text(row[score], ".4f") for row in known] for score in ("dtw_ssid", "dtw_ssid_greedy"))
        covered = [_text(row["coverage"], ".0%") for row in known if row.name[0] != "weizmann"]
        assert cells == [*exact, ", ".join(greedy), ", ".join(covered)], method


def _text(number: float, form: str) -> str:
    return "-" if pd.isna(number) else format(number, form)

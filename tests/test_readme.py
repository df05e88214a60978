"""README's lines of Python, as a reader would run them, and its numbers, as reports/ has them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import PIL.Image
import pytest
import torch
from ruamel.yaml import YAML
from skimage.transform import rotate

from manex.front.walk import Walked
from manex.metrics.dtw import dtw_ssid
from manex.metrics.ssim import ssim_distances

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
DATASETS = ("rotated_mnist", "translated_mnist", "walker", "weizmann")


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Walked:
    """What README's lines leave, in a folder that has docs/."""
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    folder, names = tmp_path_factory.mktemp("readme"), dict[str, Any]()
    (folder / "docs").symlink_to(ROOT / "docs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MPLBACKEND", "agg")
        exec(code, names)
    assert (folder / "walk.gif").is_file()
    return names["w"]


def test_readmes_python_turns_the_digit_all_the_way_round(walked: Walked) -> None:
    """In the disc that stays inside the frame; the second picture is turned by 7.2 degrees."""
    place = torch.arange(20.0) - 9.5
    disc = (place**2 + place[:, None] ** 2).sqrt() < 9.5
    digit = walked.video[0, 0].double().numpy()
    turned = np.stack([rotate(digit, angle) for angle in np.arange(0, 360, 7.2)])[:, None]
    distances = ssim_distances(disc * torch.from_numpy(turned).float(), disc * walked.video)
    assert dtw_ssid(distances) < 0.1  # standing still scores 0.9


def test_readmes_moving_picture_is_that_walk(walked: Walked) -> None:
    with PIL.Image.open(ROOT / "docs" / "walk.gif") as moving:
        assert moving.n_frames == len(walked.video)
        for number, frame in enumerate(walked.video):
            moving.seek(number)
            shown = np.asarray(moving.convert("L"))[6::12, 6::12] / 255
            assert abs(shown - frame[0].numpy()).mean() < 0.03, number


def test_readme_begins_with_it() -> None:
    assert "manex.tangent(" in "".join(README.splitlines()[:10])


def test_the_citation_has_the_version_and_the_paper() -> None:
    stated = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    cited = YAML(typ="safe", pure=True).load((ROOT / "CITATION.cff").read_text())
    assert (cited["version"], cited["license"]) == (stated["version"], stated["license"])
    (paper,) = cited["references"]
    assert f"title = {{{paper['title']}}}" in README
    assert paper["url"] in README


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

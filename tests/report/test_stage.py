"""The page and its provenance, from a project in which every stage has run."""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest
import tiny

from pipeline.config.params import load
from pipeline.paths import Paths
from pipeline.report.columns import TABLE1, shown
from pipeline.stages import report as stage
from pipeline.stages.report import report
from pipeline.storage.skipped import write_absence

D = tiny.DATASET


@pytest.fixture
def paths(tiny_project: Path, tmp_path: Path) -> Paths:
    return Paths(Path(shutil.copytree(tiny_project, tmp_path / "project")), tiny.REPORTS)


def page(paths: Paths) -> str:
    report(load(paths.params), paths)
    return paths.page.read_text()


def provenance(paths: Paths) -> dict[str, str]:
    return dict(json.loads(paths.provenance.read_text()))


def test_the_page_shows_every_number_of_table_1_under_its_title(paths: Paths) -> None:
    text = page(paths)
    section = text[text.index(f'<section id="{D}"') :]
    assert re.findall(r'<th scope="col">([^<]*)</th>', section)[: 1 + len(shown(TABLE1))] == [
        "method",
        *(column.title for column in shown(TABLE1)),
    ]
    for row in pd.read_csv(paths.reports / "table1.csv").to_dict("records"):
        line = next(line for line in section.splitlines() if line.endswith("</tr>") and row["method"] in line)
        assert f"<td>{row['dtw_ssid']:.4f}</td>" in line


def test_every_figure_of_a_dataset_is_on_the_page_with_its_caption(paths: Paths) -> None:
    text = html.unescape(page(paths))
    drawn = {path.stem.removeprefix(f"{D}_") for path in paths.figures.glob(f"{D}_*.svg")}
    assert drawn == {"videos", "paths", "alignment", "spectrum", "psnr"}
    for kind in drawn:
        _, caption = stage.ABOUT[f"_{kind}.svg"]
        assert caption in text


def lose_the_data(paths: Paths, reason: str) -> None:
    """As where the raw data are not at hand: every stage on the dataset passes the reason on."""
    write_absence(paths.prepared(D), reason)
    for words in (("extrapolate", D, "linear"), ("extrapolate", D, "walked"), ("evaluate", D), ("table",)):
        assert tiny.manex(paths.root, *words).code == 0


def test_rows_kept_from_an_earlier_run_are_marked_on_the_page(paths: Paths) -> None:
    assert "Not computed here" not in page(paths)
    before = (paths.reports / "table1.csv").read_bytes()
    lose_the_data(paths, "no mirror & no network")
    assert (paths.reports / "table1.csv").read_bytes() == before
    text = page(paths)
    assert "Not computed here: the rows are those of the committed table." in text
    assert "no mirror &amp; no network" in text
    assert f"<td>{pd.read_csv(paths.reports / 'table1.csv')['dtw_ssid'][0]:.4f}</td>" in text


def test_a_dataset_without_rows_is_not_run_and_not_taken_for_kept(paths: Paths) -> None:
    (paths.reports / "metrics.json").unlink()
    lose_the_data(paths, "no mirror")
    text = page(paths)
    assert "Not computed here" not in text
    assert "not run: no mirror" in text


def test_provenance_names_profile_settings_and_lock(paths: Paths) -> None:
    paths.lock.write_text("schema: '2.0'\n")
    text = page(paths)
    found = provenance(paths)
    assert found.keys() == {"profile", "settings", "lock", "commit"}
    assert (found["profile"], len(found["settings"]), len(found["lock"])) == ("tiny", 64, 64)
    for name in ("settings", "lock"):
        assert found[name] in text


def test_provenance_of_results_that_it_describes_already_stays(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "commit_of", lambda paths: "0123456789ab")
    page(paths)
    first = paths.provenance.read_bytes()
    assert provenance(paths)["commit"] == "0123456789ab"
    monkeypatch.setattr(stage, "commit_of", lambda paths: "fedcba987654")
    paths.params.write_text(f"# a comment\n{paths.params.read_text()}")
    text = page(paths)
    assert paths.provenance.read_bytes() == first
    assert "0123456789ab" in text
    assert "fedcba987654" in text


@pytest.mark.parametrize("changed", ["settings", "lock"])
def test_provenance_of_other_results_is_written_anew(
    changed: str, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    page(paths)
    before = provenance(paths)
    monkeypatch.setattr(stage, "commit_of", lambda paths: "fedcba987654")
    if changed == "settings":
        paths.params.write_text(paths.params.read_text().replace("steps: 4", "steps: 5"))
    else:
        paths.lock.write_text("schema: '2.0'\n")
    page(paths)
    after = provenance(paths)
    assert {name for name in before if before[name] != after[name]} == {changed, "commit"}


def test_provenance_that_is_damaged_says_what_to_do(paths: Paths) -> None:
    paths.provenance.write_text("{")
    done = tiny.manex(paths.root, "report")
    assert done.clear
    assert f"rm {tiny.REPORTS}/provenance.json && manex report" in done.said

"""The plug-in denoisers of docs/extending.md, written as the page says, become rows of Table 1."""

from __future__ import annotations

import re
import runpy
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

from pipeline.cli.app import app

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "extending.md").read_text().partition("## Your own denoiser")[2].partition("\n## ")[0]
CODE, WEIGHTS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(PROFILE,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def manex(*words: str) -> None:
    done = CliRunner().invoke(app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder in which the page was followed to Table 1, command by command."""
    folder = tmp_path_factory.mktemp("stranger")
    for name, text in {
        "data/own/my_file.py": CODE,
        "data/own/make_weights.py": WEIGHTS,
        "profiles/brought.yaml": PROFILE,
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "no J.T v from a black box")
        patch.chdir(folder)
        patch.setenv("MANEX_WORKERS", "1")
        patch.setattr(sys, "path", [str(folder / "data" / "own"), *sys.path])  # as for a script that lies there
        runpy.run_path("data/own/make_weights.py")
        manex("profile", "use", "brought")
        manex("prepare", "walker")
        manex("train", "walker", "none")
        manex("code")
        for method in ("my_module", "my_callable", "persistence"):
            manex("extrapolate", "walker", method)
        manex("evaluate", "walker")
        for analysis in ("geometry", "spectrum", "card"):
            manex("analyse", "walker", analysis)
        manex("findings")
        manex("table")
        manex("figures")
        yield folder
    torch.use_deterministic_algorithms(False)


def test_both_denoisers_are_rows_of_table_1_among_the_walks(project: Path) -> None:
    rows = pd.read_csv(project / "reports" / "brought" / "table1.csv").set_index("method")
    own = rows.loc[["my_module", "my_callable"]]
    assert own["not_run"].isna().all()
    assert (own["block"] == "manifold").all()
    assert ((own["dtw_ssid"] > 0) & (own["dtw_ssid"] < 2)).all()
    text = (project / "reports" / "brought" / "table1.md").read_text().partition("### Rivals")[0]
    assert "\n| my_module | 0." in text
    assert "\n| my_callable | 0." in text


def test_both_denoisers_are_rows_of_the_ablation_and_take_noise_away(project: Path) -> None:
    rows = pd.read_csv(project / "reports" / "brought" / "denoisers.csv").set_index("method")
    assert list(rows["denoiser"]) == ["my_file.py:build", "my_file.py:shrink"]
    noisy = 20 * 1.2304  # dB: -20 log10(15 / 255)
    assert (rows["psnr"] > noisy).all()
    assert rows["retention"].between(0, 1.5).all()
    assert rows["asymmetry"].isna().to_dict() == {"my_module": False, "my_callable": True}  # no J^T v of a black box


def test_diagnostics_spectrum_and_figures_are_made_of_them(project: Path) -> None:
    rows = pd.read_csv(project / "reports" / "brought" / "diagnostics.csv").set_index("method")
    assert rows.loc[["my_module", "my_callable"], "diagnosed_tangent_angle"].between(0, 90).all()
    eigenvalues = pd.read_csv(project / "data" / "analyses" / "walker" / "spectrum" / "eigenvalues.csv")
    assert set(eigenvalues["denoiser"]) >= {"my_file.py:build"}
    drawn = {path.name for path in (project / "reports" / "brought" / "figures").iterdir()}
    assert {"walker_videos.png", "walker_spectrum.png", "walk.png", "comparison.png"} <= drawn


def test_both_denoisers_have_a_card_and_what_a_black_box_cannot_tell_is_said(project: Path) -> None:
    rows = pd.read_csv(project / "data" / "analyses" / "walker" / "card" / "card.csv")
    rows = rows[rows["sigma_255"] == 15].set_index("denoiser")
    assert list(rows.index) == ["my_file.py:build", "my_file.py:shrink"]
    assert rows[["psnr", "energy", "calibration", "sure"]].notna().all(axis=None)
    assert rows["asymmetry"].isna().tolist() == [False, True]
    assert "not differentiable" in rows.loc["my_file.py:shrink", "note"]
    text = (project / "reports" / "brought" / "findings.md").read_text()
    assert "| my_file.py:build | 15 |" in text
    assert "my_file.py:shrink at 15/255: it is not differentiable" in text

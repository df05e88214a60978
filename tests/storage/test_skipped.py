"""A cell without an answer says why, and so does everything that would be built on it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from manex.settings import Section
from pipeline.cli.app import app
from pipeline.config.params import load
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.stages.figures import figures
from pipeline.stages.table import table
from pipeline.storage import skipped
from pipeline.storage.artifacts import read_csv
from pipeline.storage.results import load_results
from pipeline.storage.skipped import absence, write_absence

ROOT = Path(__file__).parents[2]
WHY = "no such data here"
SETTINGS = """\
profile: tiny
reports: reports/tiny
datasets: [rotated_mnist]
models: [resunet, unet]
methods: [linear, walked, oracle]
analyses: [geometry]
data:
  rotated_mnist: {kind: rotation}
train:
  rotated_mnist:
    resunet: {network: resunet, steps: 2, learning_rate: 0.02}
    unet: {network: skipped, reason: too slow here}
extrapolate:
  rotated_mnist:
    linear: {algorithm: linear, frames: 3, sigma_255: 25, eta: 1}
    walked: {algorithm: linear, denoiser: unet, frames: 3, sigma_255: 25, eta: 1}
    oracle: {algorithm: skipped, reason: no true manifold is known}
analyse:
  rotated_mnist:
    geometry: {kind: geometry, walks: [linear, walked]}
"""


@pytest.fixture
def paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paths:
    """A project of three methods: one that could run, one whose model is skipped, one that is skipped."""
    (tmp_path / "params.yaml").write_text(SETTINGS)
    monkeypatch.chdir(tmp_path)
    return Paths(tmp_path, home="reports/tiny")


def manex(*words: str) -> Result:
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    return done


def test_a_written_reason_is_read_back_and_takes_the_place_of_results(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "weights").write_text("of an earlier run")
    write_absence(tmp_path / "out", WHY)
    assert absence(tmp_path / "out") == WHY
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["absent.json"]


def test_results_and_folders_that_are_not_there_are_not_absent(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert absence(tmp_path / "out") is None
    assert absence(tmp_path / "nowhere") is None


@pytest.mark.parametrize("text", ["", "{}", "[1]", "{"])
def test_a_damaged_reason_is_told_with_its_path(text: str, tmp_path: Path) -> None:
    (tmp_path / "absent.json").write_text(text)
    with pytest.raises(UserError, match=r"absent\.json: damaged"):
        absence(tmp_path)


def test_without_a_reason_a_cell_runs(paths: Paths) -> None:
    assert skipped.training(paths, "rotated_mnist", "resunet").runs(Section())
    assert not paths.model("rotated_mnist", "resunet").exists()


def test_a_skipped_model_is_passed_on_to_the_walk_that_needs_it_and_to_no_other(paths: Paths) -> None:
    done = manex("train", "rotated_mnist", "unet")
    assert done.stderr == "manex: train rotated_mnist unet: not run: too slow here\n"
    manex("extrapolate", "rotated_mnist", "walked")
    assert absence(paths.extrapolated("rotated_mnist", "walked")) == "model unet is not trained: too slow here"
    assert skipped.extrapolation(paths, "rotated_mnist", "linear", "resunet").runs(Section())


def test_an_absent_source_is_passed_on_to_every_cell_built_on_it(paths: Paths) -> None:
    write_absence(paths.raw("mnist"), WHY)
    manex("prepare", "rotated_mnist")
    manex("train", "rotated_mnist", "resunet")
    manex("extrapolate", "rotated_mnist", "linear")
    manex("analyse", "rotated_mnist", "geometry")
    for folder in (
        paths.prepared("rotated_mnist"),
        paths.model("rotated_mnist", "resunet"),
        paths.extrapolated("rotated_mnist", "linear"),
        paths.analysis("rotated_mnist", "geometry"),
    ):
        assert absence(folder) == WHY
    manex("extrapolate", "rotated_mnist", "walked")
    manex("evaluate", "rotated_mnist")
    reasons = {"linear": WHY, "walked": WHY, "oracle": "no true manifold is known"}
    assert load_results("rotated_mnist", paths).not_run == reasons


def test_the_record_of_an_earlier_run_goes_so_that_mlflow_does_not_show_it(paths: Paths) -> None:
    record = paths.record("evaluate", "rotated_mnist-oracle")
    record.parent.mkdir(parents=True)
    record.write_text("{}")
    write_absence(paths.prepared("rotated_mnist"), WHY)
    for method in ("linear", "walked", "oracle"):
        manex("extrapolate", "rotated_mnist", method)
    manex("evaluate", "rotated_mnist")
    assert not record.exists()


def test_table_and_figures_of_nothing_but_absent_cells_give_the_reasons(paths: Paths) -> None:
    write_absence(paths.raw("mnist"), WHY)
    manex("prepare", "rotated_mnist")
    params = load(paths.params)
    for model in params.models:
        manex("train", "rotated_mnist", model)
    for method in params.methods:
        manex("extrapolate", "rotated_mnist", method)
    manex("evaluate", "rotated_mnist")
    manex("analyse", "rotated_mnist", "geometry")
    table(params, paths)
    figures(params, paths)
    rows = read_csv(paths.reports / "table1.csv", "")
    assert list(rows["not_run"]) == [WHY, WHY, "no true manifold is known"]
    assert rows["dtw_ssid"].isna().all()
    assert f"| linear | not run: {WHY} |" in (paths.reports / "table1.md").read_text()
    metrics = json.loads((paths.reports / "metrics.json").read_text())
    assert metrics["rotated_mnist"]["linear"] == {"not_run": WHY}
    assert metrics["training"]["rotated_mnist"] == {"resunet": {"not_run": WHY}, "unet": {"not_run": "too slow here"}}
    assert list(paths.figures.iterdir()) == []


def test_a_skipped_cell_loads_nothing_heavy(paths: Paths) -> None:
    code = (
        "import sys\nfrom pipeline.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "print('LOADED', sorted({'torch', 'mlflow', 'pandas', 'numpy'} & set(sys.modules)))"
    )
    words = [sys.executable, "-c", code, "extrapolate", "rotated_mnist", "oracle"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": ""}
    done = subprocess.run(words, cwd=paths.root, env=environment, capture_output=True, text=True, check=True)
    assert "LOADED []" in done.stdout

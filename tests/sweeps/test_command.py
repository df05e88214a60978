from __future__ import annotations

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner, Result
from walkers import VALUES

from pipeline.cli.app import app
from pipeline.paths import Paths


@pytest.fixture
def project(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> Paths:
    monkeypatch.chdir(paths.root)
    with paths.params.open("w") as file:
        YAML(typ="safe", pure=True).dump(VALUES, file)
    return paths


def swept(project: Paths, methods: str, *words: str) -> Result:
    (project.root / "grid.yaml").write_text(f"datasets: [walker]\nmethods: {methods}\nseeds: [100]\n")
    return CliRunner().invoke(app, ["sweep", "grid.yaml", *words])


def test_a_sweep_that_went_well_ends_in_a_line_that_says_where_its_table_is(project: Paths) -> None:
    done = swept(project, "{linear: , absent: }")
    assert done.exit_code == 0
    assert done.stdout == "sweep grid: 2 cells, 1 done, 1 not run; reports/sweeps/grid/sweep.csv\n"


def test_a_failed_cell_ends_in_1_with_what_failed_and_how_to_do_it_again(project: Paths) -> None:
    for words in ((), (), ("--retry-failed",)):
        done = swept(project, "{linear: {eta: [1, 1.0e+39]}}", *words)
        assert done.exit_code == 1
        assert done.stdout == "sweep grid: 2 cells, 1 done, 1 failed; reports/sweeps/grid/sweep.csv\n"
        assert "manex: failed: walker linear eta 1e+39 seed 100: " in done.stderr
        assert done.stderr.endswith("to repeat the failed cells: manex sweep grid.yaml --retry-failed\n")


def test_a_wrong_grid_ends_in_1_before_anything_runs(project: Paths) -> None:
    done = swept(project, "{linear: {etta: 1}}")
    assert (done.exit_code, done.stderr) == (1, 'manex: grid.yaml: methods.linear.etta: unknown; did you mean "eta"?\n')
    assert not (project.reports / "sweeps").exists()


def test_a_scheduler_without_dask_says_what_to_install(project: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANEX_SCHEDULER", "tcp://127.0.0.1:9")
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    done = swept(project, "{linear: }")
    assert done.exit_code == 1
    assert 'pip install -c constraints.txt -e ".[dask]"' in done.stderr

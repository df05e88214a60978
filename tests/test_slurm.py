"""The Slurm example without Slurm: the job it would submit is one worker that does one cell at a time."""

from __future__ import annotations

import importlib.util
import shlex
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[1] / "docs" / "slurm.py"


@pytest.mark.filterwarnings("ignore")
def test_the_job_has_the_threads_of_a_cell_and_a_worker_of_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "a project; of 'mine'"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "executable", str(folder / ".venv" / "bin" / "python"))
    spec = importlib.util.spec_from_file_location("slurm", EXAMPLE)
    assert spec
    assert spec.loader
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    with example.cluster(threads=3) as slurm:
        script = slurm.job_script()
        assert slurm.scheduler_address.startswith("tcp://")
    lines = script.splitlines()
    assert "#SBATCH --cpus-per-task=3" in lines
    (exported,) = [line for line in lines if line.startswith("export PYTHONPATH=")]
    assert shlex.split(exported) == ["export", f"PYTHONPATH={folder}"]
    (started,) = [line for line in lines if "distributed.cli.dask_worker" in line]
    assert shlex.split(started)[0] == str(folder / ".venv" / "bin" / "python")
    assert "--nthreads 1" in started
    assert "--nworkers" not in started

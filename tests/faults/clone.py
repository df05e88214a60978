"""A tiny project under DVC, which other processes run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARAMS = """\
profile: tiny
reports: reports/tiny
sources: []
datasets: [walker]
models: [resunet]
methods: [linear]
analyses: []
data:
  walker: {kind: walker, people: 2, size: 16, frames: 8, held_out: 3, dense: 16}
train:
  walker:
    resunet: {network: resunet, widths: [4, 8], steps: 120, batch: 4, record_every: 2, learning_rate: 0.02}
trials: {seeds: [0, 1]}
extrapolate:
  walker:
    linear: {algorithm: linear, frames: 3, sigma_255: 25, eta: 1}
analyse: {}
"""
TARGET = "table"
LONGEST = 600.0


def make(root: Path) -> Path:
    """The project, with nothing computed."""
    for empty in ("raw/none", "own"):
        (root / "data" / empty).mkdir(parents=True)
    (root / "params.yaml").write_text(PARAMS)
    for name in ("dvc.yaml", ".dvcignore"):
        shutil.copy(ROOT / name, root / name)
    left_out = shutil.ignore_patterns("__pycache__")
    for package in ("manex", "pipeline"):
        shutil.copytree(ROOT / package, root / package, ignore=left_out)
    run("dvc", "init", "--no-scm", "--quiet", root=root)
    return root


def environment(root: Path) -> dict[str, str]:
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(root),
        "PYTHONDONTWRITEBYTECODE": "1",
        "DVC_NO_ANALYTICS": "1",
        "MANEX_TRACKING": "off",
        "MANEX_WORKERS": "1",
    }


def start(*words: str, root: Path) -> subprocess.Popen[str]:
    """A command as a group of processes of its own, so that all of it can be killed."""
    return subprocess.Popen(
        [sys.executable, "-m", *words],
        cwd=root,
        env=environment(root),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def run(*words: str, root: Path) -> str:
    """What a command says; it must succeed."""
    process = start(*words, root=root)
    said, _ = process.communicate(timeout=LONGEST)
    assert process.returncode == 0, said
    return said


def results(root: Path) -> dict[str, bytes]:
    """Every tracked output, and what DVC noted of it."""
    folders = [root / name for name in ("data", "models", "reports")]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    names = {path.relative_to(root).as_posix(): path for path in (*files, root / "dvc.lock")}
    untracked = ("reports/records/", "reports/tiny/costs.csv")
    return {
        name: path.read_bytes()
        for name, path in sorted(names.items())
        if not name.startswith(untracked) and path.name != ".gitignore"
    }

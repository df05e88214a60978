"""Commands in a project of their own, as a shell runs them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ONE_WALK = """\
profile: cpu
reports: reports
sources: []
datasets: [walker]
models: [resunet]
methods: [linear]
analyses: [spectrum]
data:
  walker: {kind: walker, people: 2, size: 16, frames: 8, held_out: 3, dense: 40}
train:
  walker:
    resunet: {network: resunet, widths: [4], steps: 4, batch: 4, record_every: 2, learning_rate: 0.02}
trials: {seeds: [100]}
extrapolate:
  walker:
    linear: {algorithm: linear, frames: 3, sigma_255: 15, eta: 1}
analyse:
  walker:
    spectrum: {kind: spectrum, walks: [linear]}
"""


def make(folder: Path, params: str, *, git: bool) -> None:
    """The project with these settings and nothing computed, in git if asked."""
    for name in ("manex", "pipeline"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dvc.yaml", ".dvcignore", ".gitignore"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "data" / "own").mkdir(parents=True)
    (folder / "data" / "own" / "README.md").touch()
    (folder / "params.yaml").write_text(params)
    if git:
        run(folder, "git", "init", "--quiet")
    run(folder, "init", "--quiet", *([] if git else ["--no-scm"]), module="dvc")


def run(folder: Path, *command: str, module: str | None = None, **more: str) -> str:
    """What a command says; it must succeed. The interpreter comes first on PATH: dvc.yaml calls `python`.

    Args:
        more: variables besides those of this process.
    """
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "DVC_NO_ANALYTICS": "1",
        "MANEX_TRACKING": "off",  # runs are logged by `track sync`, once
        "MANEX_WORKERS": "1",
        "XDG_CACHE_HOME": str(folder.parent / "cache"),
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    environment.pop("MLFLOW_TRACKING_URI", None)
    environment |= more
    words = [sys.executable, "-m", module, *command] if module else [*command]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=800)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout + done.stderr

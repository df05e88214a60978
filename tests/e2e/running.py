"""Commands in a project of their own, as a shell runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


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

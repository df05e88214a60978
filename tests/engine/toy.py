"""A small project of shell commands under DVC, with every kind of stage and output, and ways to hold a cell up."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONG = 120.0
"""Seconds within which everything here happens, even on a busy machine."""

DVC = """\
stages:
  source:
    cmd: cp seed.txt source.txt
    deps: [seed.txt]
    outs:
      - source.txt: {persist: true}
  part:
    matrix: {item: "${items}"}
    cmd:
      - mkdir -p parts/${item.item}
      - exec sh part.sh ${item.item}
    params: ["size.${item.item}"]
    deps: [part.sh, source.txt]
    outs: ["parts/${item.item}"]
  after:
    matrix: {item: "${items}"}
    cmd: wc -c parts/${item.item}/text > after-${item.item}.txt
    deps: ["parts/${item.item}"]
    outs: ["after-${item.item}.txt"]
  joined:
    cmd: cat parts/*/text > joined.txt && echo '{"parts":3}' > parts.json
    deps: [parts]
    outs:
      - joined.txt: {cache: false}
    metrics:
      - parts.json: {cache: false}
"""
PARAMS = """\
items: [b, a, c]
size: {a: 1, b: 2, c: 3}
"""
PART = """\
echo $1 >> runs.log
if [ -e fail-$1 ]; then echo "part $1: this cannot be"; exit 3; fi
if [ -e hold-$1 ]; then
  rm hold-$1
  echo half > parts/$1/half
  echo $$ > held-$1.new
  mv held-$1.new held-$1
  read line < fifo
fi
grep " *size" params.yaml | cat source.txt - > parts/$1/text
"""


def make(root: Path) -> Path:
    """The project, with nothing computed."""
    root.mkdir(parents=True)
    for name, text in {"dvc.yaml": DVC, "params.yaml": PARAMS, "part.sh": PART, "seed.txt": "seed\n"}.items():
        (root / name).write_text(text)
    (root / ".dvcignore").write_text(".*.partial\n")
    (root / ".gitignore").write_text("*.txt\nparts/\n")
    os.mkfifo(root / "fifo")
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    dvc(root, "init", "--quiet")
    return root


def copied(source: Path, target: Path) -> Path:
    """A copy; the pipe that holds cells up is made anew."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("fifo"))
    os.mkfifo(target / "fifo")
    return target


def environment(**more: str) -> dict[str, str]:
    return os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "DVC_NO_ANALYTICS": "1",
        "MANEX_TRACKING": "off",
        "MANEX_WORKERS": "2",
        **more,
    }


def dvc(root: Path, *words: str) -> str:
    """What DVC says; it must succeed."""
    command = [sys.executable, "-m", "dvc", *words]
    done = subprocess.run(command, cwd=root, env=environment(), capture_output=True, text=True, timeout=LONG)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def start(root: Path, *words: str, **more: str) -> subprocess.Popen[str]:
    """`manex WORDS` as a process of its own, in a group of its own as a shell would start it."""
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline", *words],
        cwd=root,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a background job inherits that it is ignored
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Exit code, and what was said."""
    said, _ = process.communicate(timeout=LONG)
    return process.returncode, said


def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition."""
    end = time.monotonic() + LONG
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


def held(root: Path, item: str) -> int:
    """The process of a part that was told to hold, once it does."""
    until((root / f"held-{item}").exists)
    return int((root / f"held-{item}").read_text())


def state(root: Path) -> dict[str, bytes]:
    """Every output, and the lock."""
    names = ("source.txt", "joined.txt", "parts.json", "after-*.txt", "parts/**/*", "dvc.lock")
    files = sorted({path for name in names for path in root.glob(name) if path.is_file()})
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def runs(root: Path) -> list[str]:
    """The parts that were run, in order."""
    log = root / "runs.log"
    return log.read_text().split() if log.exists() else []

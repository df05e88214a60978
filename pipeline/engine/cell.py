"""A cell at work: the commands of one stage, in a process of its own."""

from __future__ import annotations

import os
import platform
import re
import resource
import runpy
import shutil
import subprocess
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.engine.code import PACKAGE, code_version

PLAIN = re.compile(r"[\w@%+=:,./ -]+")
"""Commands that a shell would not change but for cutting them into words."""


LOGS = Path("reports", "records", "logs")
"""What each cell printed, relative to the project's root."""


def log_of(root: Path, name: str) -> Path:
    """The file that gets what a cell prints."""
    return root / LOGS / f"{name.replace('/', '%')}.log"


@dataclass(frozen=True)
class Job:
    """What a worker is asked to do; plain values, which travel to other machines.

    Attributes:
        commands: one after the other, each as the arguments of a shell process and as its text.
        folder: where they run.
        environment: all variables that they get.
        clears: outputs that an earlier try may have left.
        log: file that gets what they print.
        code: `code_version()` of the parent.
    """

    name: str
    commands: tuple[tuple[tuple[str, ...], str], ...]
    folder: Path
    environment: dict[str, str] = field(repr=False)  # it may hold the password of MLflow's server
    clears: tuple[Path, ...]
    log: Path
    code: str


@dataclass(frozen=True)
class Ending:
    """How a cell ended: its exit code, the last line it printed, and what it used."""

    code: int
    said: str
    seconds: float
    cpu_seconds: float
    peak_memory_mb: float
    node: str


def run(job: Job) -> Ending:
    """Run the commands of a cell until one fails. Changes folder, environment and output of this process for good."""
    began = time.perf_counter()
    _clear(job)
    code = 0
    try:
        _settle(job)
        for argv, command in job.commands:
            words = command.split()
            code = _in_this_process(words[3:]) if _is_warm(job, command, words) else _in_a_shell(argv)
            if code:
                break
    except Exception:
        traceback.print_exc()
        code = 1
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    mine, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return Ending(
        code,
        _last_line(job.log),
        round(time.perf_counter() - began, 3),
        round(mine.ru_utime + mine.ru_stime + children.ru_utime + children.ru_stime, 3),
        round(max(mine.ru_maxrss, children.ru_maxrss) / 1024, 1),
        platform.node(),
    )


def _clear(job: Job) -> None:
    """Outputs of a try that was cut off; of a first try DVC has removed them already."""
    for path in job.clears:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _settle(job: Job) -> None:
    """Folder, environment and output."""
    os.chdir(job.folder)
    os.environ.clear()
    os.environ.update(job.environment)
    job.log.parent.mkdir(parents=True, exist_ok=True)
    with job.log.open("wb") as log, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        for descriptor in (1, 2):
            os.dup2(log.fileno(), descriptor)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115
    sys.stdout = open(1, "w", buffering=1, closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115


def _is_warm(job: Job, command: str, words: list[str]) -> bool:
    """Whether a command would import what this process has imported already: then it need not start an interpreter."""
    from pipeline.engine.warm import IMPORTED

    if not PLAIN.fullmatch(command) or words[:3] != ["python", "-m", PACKAGE.name]:
        return False
    local = job.folder / PACKAGE.name
    if local.exists() and not local.samefile(PACKAGE):
        return False
    python = shutil.which("python", path=job.environment.get("PATH"))
    same = python is not None and Path(python).parent.resolve() == Path(sys.executable).parent.resolve()
    return same and IMPORTED == job.code == code_version()


def _in_this_process(arguments: list[str]) -> int:
    """`python -m PACKAGE ARGUMENTS`."""
    sys.argv = [PACKAGE.name, *arguments]
    try:
        runpy.run_module(PACKAGE.name, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    return 0


def _in_a_shell(argv: tuple[str, ...]) -> int:
    return subprocess.run(argv, check=False).returncode


def _last_line(log: Path) -> str:
    """What a cell said last: the reason, where it failed."""
    with log.open("rb") as stream:
        stream.seek(max(0, log.stat().st_size - 2000))
        lines = stream.read().decode(errors="replace").split("\n")
    return next((line.strip()[:300] for line in reversed(lines) if line.strip()), "")

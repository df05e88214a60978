"""The project as DVC describes it: which cells there are, which must run, and what is noted of those that have.

The steps are those of `dvc repro` (dvc 3.67, Stage.reproduce and Stage.run), taken apart so that commands can run
elsewhere and side by side, and so that dvc.lock is written once for many cells.
"""

from __future__ import annotations

import json
import logging
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import current_thread, main_thread
from types import FrameType
from typing import Any

import psutil

from pipeline.engine.cell import Job, log_of
from pipeline.engine.code import code_version
from pipeline.engine.lockfile import LockFile
from pipeline.errors import UserError


@dataclass(eq=False)
class Cell:
    """A stage of the pipeline, one item of its matrix.

    Attributes:
        upstream: cells whose outputs it depends on.
        params: the settings it declares, by name.
    """

    name: str
    stage: Any
    upstream: list[Cell] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The stage without its item."""
        return self.name.partition("@")[0]

    @property
    def params(self) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for params in self.stage.params:
            with suppress(Exception):  # a file of settings that is not there yet
                values |= params.read_params()
        return values

    def __repr__(self) -> str:
        return self.name


class Project:
    """A DVC project, locked against other processes: use `opened`.

    Attributes:
        cells: all that the targets need, in the order in which `dvc repro` would take them.
    """

    def __init__(self, repo: Any, targets: Sequence[str], environment: dict[str, str]) -> None:
        from dvc.repo.reproduce import collect_stages, get_active_graph, plan_repro

        self.root = Path(repo.root_dir)
        self._repo, self._environment = repo, environment
        graph = get_active_graph(repo.index.graph)
        stages = plan_repro(graph, collect_stages(repo, list(targets) or [str(self.root / "dvc.yaml")]))
        by_stage = {stage: Cell(stage.addressing, stage) for stage in stages}
        for stage, cell in by_stage.items():
            cell.upstream = [by_stage[other] for other in graph.successors(stage)]
        self.cells = list(by_stage.values())
        self._noted: list[Cell] = []
        self._lock = LockFile(self.root, [cell.stage for cell in self.cells])

    def changed(self, cell: Cell) -> bool:
        """Whether a cell must run, provided that its upstream is up to date.

        Raises:
            UserError: DVC cannot tell.
        """
        with _told():
            return bool(cell.stage.changed(False, [other.stage for other in cell.upstream]))

    def begin(self, cell: Cell) -> Job | None:
        """Make a cell that must run ready for it: outputs removed, dependencies noted. None if DVC could restore it.

        Raises:
            UserError: DVC cannot make it ready.
        """
        from dvc.stage.cache import RunCacheNotFoundError
        from dvc.stage.run import get_executable, prepare_kwargs

        stage = cell.stage
        with _told():
            if stage.frozen or not stage.cmd:  # nothing to run; DVC looks whether its outputs are there, or imports
                stage.run()
                self._noted.append(cell)
                return None
            stage.remove_outs(ignore_remove=False, force=False)
            try:
                self._repo.stage_cache.restore(stage)
            except RunCacheNotFoundError:
                stage.save_deps()
            else:
                self.finish(cell)
                return None
            commands = stage.cmd if isinstance(stage.cmd, list) else stage.cmd.splitlines()
            settings = prepare_kwargs(stage)
            return Job(
                name=cell.name,
                commands=tuple((_shell(get_executable(), command), command) for command in commands),
                folder=Path(settings["cwd"]),
                environment=settings["env"] | self._environment,
                clears=tuple(Path(out.fs_path) for out in stage.outs if not out.persist and out.protocol == "local"),
                log=log_of(self.root, cell.name),
                code=code_version(),
            )

    def finish(self, cell: Cell) -> None:
        """Take the outputs of a cell that has run into DVC's cache, and note them for dvc.lock.

        Raises:
            UserError: an output is missing, or cannot be kept.
        """
        stage = cell.stage
        uncached = any(not out.use_cache for out in stage.outs if not (out.is_metric or out.is_plot))
        with _told():
            stage.save(run_cache=not uncached)
            stage.commit()
        self._noted.append(cell)

    def write_lock(self, now: bool = False) -> None:
        """Write to dvc.lock what was noted, unless that was done a moment ago.

        Args:
            now: in any case.
        """
        if self._noted and (now or self._lock.due):
            with _told():
                self._lock.write([cell.stage for cell in self._noted])
            self._noted = []

    def complete(self) -> None:
        """Write dvc.lock, and say that nothing of this run is left to do."""
        self.write_lock(now=True)
        self._lock.complete()


@contextmanager
def opened(root: Path, targets: Sequence[str], environment: dict[str, str]) -> Iterator[Project]:
    """The project, locked as DVC locks it; dvc.lock is written when the block ends, whatever ends it.

    Args:
        targets: as `dvc repro` takes them; none for all.
        environment: variables that cells get besides those of this process.

    Raises:
        UserError: no DVC project, a mistake in dvc.yaml, an unknown target, or another process holds the project.
    """
    with _told():
        from dvc.lock import LockError
        from dvc.repo import Repo

        for name in ("dvc", "dvc_data", "dvc_objects"):
            logging.getLogger(name).setLevel(logging.CRITICAL)  # also silences DVC's bars
        repo = Repo(str(root))
        try:
            repo.lock.lock()
        except LockError:
            raise UserError(_holder(Path(repo.tmp_dir) / "lock")) from None
    try:
        _repair(Path(repo.tmp_dir) / "rwlock")
        with repo.scm_context():
            with _told():
                project = Project(repo, targets, environment)
            try:
                yield project
            finally:
                project.write_lock(now=True)
    finally:
        repo.lock.unlock()
        repo.close()


def _shell(executable: str | None, command: str) -> tuple[str, ...]:
    """The arguments of a process that runs a command as `dvc repro` does."""
    from dvc.stage.run import _make_cmd

    made = _make_cmd(executable, command)
    return ("/bin/sh", "-c", made) if isinstance(made, str) else tuple(made)


@contextmanager
def _told() -> Iterator[None]:
    """DVC at work: left to end what it does, and what it refuses told in a line."""
    from dvc.exceptions import DvcException

    try:
        with _uninterrupted():
            yield
    except (DvcException, OSError) as error:
        cause: BaseException = error
        while cause.__cause__ is not None and not str(cause.__cause__).startswith("["):
            cause = cause.__cause__
        reason = f"; {cause}" if cause is not error else ""
        raise UserError(" ".join(f"{error}{reason}".split())[:500]) from None


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C waits for the end of the block. In the middle of it DVC would leave its own files half-written."""
    if current_thread() is not main_thread():  # never interrupted
        yield
        return
    waiting: list[tuple[int, FrameType | None]] = []
    before = signal.signal(signal.SIGINT, lambda *interrupt: waiting.append(interrupt))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if waiting and callable(before):
            before(*waiting[0])


def _repair(locks: Path) -> None:
    """Remove DVC's list of files in use where a process was killed while it wrote it: DVC would refuse to go on."""
    try:
        json.loads(locks.read_text())
    except FileNotFoundError:
        pass
    except ValueError:
        locks.unlink()


def _holder(lock: Path) -> str:
    """Who has locked the project."""
    try:
        process = psutil.Process(int(lock.read_text()))
        who = f"process {process.pid} ({' '.join(process.cmdline())[:120]})"
    except (OSError, ValueError, psutil.Error):
        who = "another DVC process"
    return f"{who} holds this project: wait for it to end, then try again"

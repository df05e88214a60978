"""`manex plan`: what a run would do, how long that takes here, and what memory and disk it needs."""

from __future__ import annotations

import contextlib
import shutil
import statistics
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from pipeline.config.params import load
from pipeline.engine.measure import measured
from pipeline.engine.project import Cell, opened
from pipeline.engine.schedule import Course, course
from pipeline.engine.times import Guess, Times
from pipeline.errors import UserError, suggestion
from pipeline.paths import Paths
from pipeline.progress import clock
from pipeline.settings import settings

LONG_ALONE = 60.0
"""Seconds that the last cell may run alone before more threads are worth a word."""


def plan(paths: Paths, profile: str | None = None) -> Iterator[str]:
    """Lines that say what `manex reproduce` would do, with params.yaml as it is or as the profile has it.

    A cell counts if it has changed itself, or if it depends on one that has: at most that is run.

    Raises:
        UserError: no such profile, or dvc.yaml or the settings are wrong.
    """
    source = paths.params
    if profile is not None:
        known = [path.stem for path in paths.profiles.glob("*.yaml")]
        if profile not in known:
            raise UserError(f'profile "{profile}" is unknown{suggestion(profile, known)}')
        source = paths.profile(profile)
    params = load(source)
    in_use = profile is None or params.profile == load(paths.params).profile
    lock = paths.lock if in_use else paths.root / params.reports / paths.lock.name
    with _stand_in(paths.root.resolve(), source.resolve(), lock.resolve()) as root, opened(root, [], {}) as project:
        stale, follow = _stale(project.changed, project.cells)
        todo = [cell for cell in project.cells if cell in stale or cell in follow]
        yield (
            f"{source}: {len(project.cells)} cells; {len(project.cells) - len(todo)} up to date, {len(stale)} to run, "
            f"{len(follow)} to run if what they depend on changes"
        )
        if not todo:
            return
        times, guesses = Times(paths), {}
        for cell in todo:
            guess = times.guess(cell) or measured(cell, params)
            if guess is not None:
                of_others = guess.source == "record" and cell in follow  # its record is of what will be something else
                guesses[cell] = replace(guess, source="similar") if of_others else guess
        yield from _by_kind(todo, guesses)
        yield from _in_all(todo, guesses)
        yield _disk(todo, project.cells)


@contextlib.contextmanager
def _stand_in(root: Path, params: Path, lock: Path) -> Iterator[Path]:
    """A folder that has everything of the project by links, but other settings and a DVC lock of its own.

    So DVC can be asked what would change, while the project is neither changed nor locked.
    """
    own = {"dvc.yaml", "dvc.lock", "params.yaml", ".dvc", ".git", ".gitignore"}
    with tempfile.TemporaryDirectory(prefix="manex-plan-") as name:
        folder = Path(name).resolve()
        for path in root.iterdir():
            if path.name not in own:
                (folder / path.name).symlink_to(path)
        shutil.copy(root / "dvc.yaml", folder)
        if lock.is_file():
            shutil.copy(lock, folder / "dvc.lock")
        shutil.copy(params, folder / "params.yaml")
        (folder / ".dvc").mkdir()
        (folder / ".dvc" / "config").write_text(
            f"[core]\n    no_scm = true\n    analytics = false\n    site_cache_dir = {folder / '.dvc' / 'site'}\n"
        )
        (folder / ".dvc" / "cache").symlink_to(root / ".dvc" / "cache")
        with contextlib.chdir(folder):
            yield folder


def _stale(changed: Callable[[Cell], bool], cells: list[Cell]) -> tuple[set[Cell], set[Cell]]:
    """The cells that have changed, and those that only depend on such."""
    stale: set[Cell] = set()
    follow: set[Cell] = set()
    for cell in cells:  # in the order of the DAG
        if changed(cell):
            stale.add(cell)
        elif any(other in stale or other in follow for other in cell.upstream):
            follow.add(cell)
    return stale, follow


def _by_kind(todo: list[Cell], guesses: dict[Cell, Guess]) -> Iterator[str]:
    """Of every stage: how many cells, how long one after the other, and how that is known."""
    width = max(len(cell.kind) for cell in todo)
    for kind in dict.fromkeys(cell.kind for cell in todo):
        cells = [cell for cell in todo if cell.kind == kind]
        known = [guesses[cell] for cell in cells if cell in guesses]
        told = clock(sum(guess.seconds for guess in known)) if known else "unknown"
        sources = Counter(guess.source for guess in known) + Counter({"unknown": len(cells) - len(known)})
        how = ", ".join(f"{count} {source}" for source, count in sources.items())
        yield f"  {kind:{width}} {len(cells):4}  {told:>8}  ({how})"


def _in_all(todo: list[Cell], guesses: dict[Cell, Guess]) -> Iterator[str]:
    machine = settings()
    upstream = {cell: [other for other in cell.upstream if other in todo] for cell in todo}
    seconds = {cell: guesses[cell].seconds if cell in guesses else 0.0 for cell in todo}
    memory = {cell: guesses[cell].memory_mb if cell in guesses else 0.0 for cell in todo}
    here: Course = course(upstream, seconds, machine.workers, memory)
    unknown = len(todo) - len(guesses)
    beside = f", and {unknown} cells of unknown length" if unknown else ""
    workers = f"{machine.workers} worker{'s' * (machine.workers > 1)} of {machine.threads} thread"
    yield f"time: about {clock(here.seconds)}{beside}, with {workers}{'s' * (machine.threads > 1)}"
    yield f"memory: about {here.memory_mb:.0f} MB at once" if here.memory_mb else "memory: unknown"
    if here.alone > LONG_ALONE:
        yield (
            f"for {clock(here.alone)} of that a single cell is left at work beside idle workers: "
            f"MANEX_THREADS={machine.workers} may help, and changes the last bits of the results"
        )


def _disk(todo: list[Cell], cells: list[Cell]) -> str:
    """Bytes of the outputs, as dvc.lock has them of the same cell, or else of others of its kind."""
    sizes = {cell: size for cell in cells if (size := sum(out.meta.size or 0 for out in cell.stage.outs if out.meta))}
    total, unknown = 0.0, 0
    for cell in todo:
        alike = [size for other, size in sizes.items() if other.kind == cell.kind]
        if cell in sizes or alike:
            total += sizes.get(cell) or statistics.mean(alike)
        else:
            unknown += 1
    if unknown == len(todo):
        return "disk: unknown"
    beside = f", and {unknown} cells of unknown size" if unknown else ""
    return f"disk: about {total / 1e6:.0f} MB of outputs{beside}, kept twice: in the project and in DVC's cache"

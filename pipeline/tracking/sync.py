"""Runs in MLflow: of finished stages, from their records, and of a training while it runs.

Runs are made from the record files under reports/records, and only from records of the settings, data and results that
are here: a run must not show the settings of one and the files of another. A run is found again by the tag `manex.key`,
the hash of its record, set when everything else is logged: a run without it is a live view of a training or was
interrupted, and the next logging of its cell replaces it, unless it is another owner's or still at work.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.redaction import redacted, without_secrets
from pipeline.settings import settings
from pipeline.tracking.address import tracking_uri
from pipeline.tracking.outcomes import DamagedError, flat
from pipeline.tracking.record import find_records, left_out
from pipeline.tracking.store import Tracker

LOGGED = ("train", "evaluate", "analyse", "findings", "table", "figures")
"""Stages whose records become runs; the record of `evaluate` has the times of the walk."""


@dataclass(frozen=True)
class Counts:
    """What a sync did, in runs."""

    logged: int
    present: int
    damaged: int
    others: int = 0


def log_record(paths: Paths, *records: Path) -> bool:
    """Make the runs of records that a stage has just written, unless they are there already; true if any was made.

    MLflow's absence never fails a stage: one line says what went wrong, and `sync` makes the run later.
    """
    found = [record for record in records if record.parent.name in LOGGED and record.is_file()]
    return bool(found and _attempt(paths, lambda tracker: sum(map(tracker.log, found)), "manex track sync"))


def sync(paths: Paths, report: Callable[[str], None] = lambda line: None) -> Counts:
    """Make the missing runs of all records that are of what is here; a line names the others.

    Args:
        report: called with a line for every record.

    Raises:
        UserError: MLflow cannot be reached.
    """
    records = [found for found in find_records(paths) if found.stage in LOGGED]
    made, damaged = [], 0
    try:
        tracker = Tracker(paths)
        for found in records:
            if found.differs:
                continue
            try:
                made.append(tracker.log(found.path))
                report(f"{found.stage} {found.item}: {'logged' if made[-1] else 'there already'}")
            except DamagedError as error:
                damaged += 1
                _say(f"{error}; left out")
    except Exception as error:
        raise UserError(f"MLflow: {_reason(paths, error)}; nothing is lost, try again: manex track sync") from None
    if others := left_out(records):
        _say(f"MLflow: left out, for what is here now is not what they ran with or made: {others}")
    differing = sum(bool(found.differs) for found in records)
    return Counts(logged=sum(made), present=len(made) - sum(made), damaged=damaged, others=differing)


def log_sweep(paths: Paths, log: Callable[[Tracker], int]) -> int:
    """Make the runs of a sweep by `log`; as with `log_record`, MLflow's absence fails nothing. How many were made."""
    return _attempt(paths, log, "the same sweep again")


def _attempt(paths: Paths, log: Callable[[Tracker], int], later: str) -> int:
    """How many runs were made; if MLflow cannot be used, a line says why and how they can be made later."""
    if settings().tracking == "off":
        return 0
    try:
        return log(Tracker(paths))
    except Exception as error:
        _warn(paths, error, f"; the results are safe, later: {later}")
        return 0


def experiment_id(paths: Paths) -> str:
    """The experiment of all runs, made if it does not exist.

    Raises:
        UserError: MLflow cannot be reached.
    """
    try:
        return Tracker(paths).experiment
    except Exception as error:
        raise UserError(f"MLflow: {_reason(paths, error)}") from None


class Live:
    """A training while it runs, to be watched; the run of the finished record replaces it."""

    def __init__(self, tracker: Tracker | None, run_id: str, paths: Paths):
        self._tracker, self._run_id, self._paths = tracker, run_id, paths

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Add one step; the first failure is reported and ends the live view, not the training."""
        if self._tracker is None:
            return
        try:
            self._tracker.add(self._run_id, [(step, dict(metrics))], now())
        except Exception as error:
            _warn(self._paths, error, "; no live view")
            self._tracker = None

    def end(self, status: str) -> None:
        """End the run, if it can be reached."""
        if self._tracker is None:
            return
        try:
            self._tracker.client.set_terminated(self._run_id, status)
        except Exception as error:
            _warn(self._paths, error)


@contextmanager
def live(paths: Paths, stage: str, item: str, params: Mapping[str, Any]) -> Iterator[Live]:
    """A run to watch while a stage works."""
    tracker, run_id = None, ""
    if settings().tracking != "off":
        try:
            tracker = Tracker(paths)
            run_id = tracker.start(stage, item, now(), {})
            tracker.settle(run_id, flat(params))
        except Exception as error:
            _warn(paths, error, "; no live view")
            tracker = None
    run = Live(tracker, run_id, paths)
    status = "KILLED"
    try:
        yield run
        status = "FINISHED"
    finally:
        run.end(status)


def now() -> int:
    """Milliseconds since 1970, as MLflow counts."""
    return int(datetime.now(UTC).timestamp() * 1000)


def _reason(paths: Paths, error: Exception) -> str:
    """Where and what, in one line without secrets: the first cause, which says more than what came of it."""
    uri = tracking_uri(paths)
    if isinstance(error, UserError | DamagedError):
        return without_secrets(str(error), uri)
    cause: BaseException = error
    while (deeper := cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)) is not None:
        cause = deeper
    told = " ".join(without_secrets(str(cause), uri).split())[:200]
    return f"{redacted(uri)} cannot be used ({type(cause).__name__}{': ' * bool(told)}{told})"


def _warn(paths: Paths, error: Exception, then: str = "") -> None:
    _say(f"MLflow: {_reason(paths, error)}{then}")


def _say(line: str) -> None:
    sys.stderr.write(f"manex: {line}\n")

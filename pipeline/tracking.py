"""MLflow, and nothing else: the only file that imports it, inside functions because that takes seconds.

Runs are rebuilt from the record files under reports/records, so MLflow holds nothing that cannot be had again. One run
a training and one a (dataset, method) cell; `evaluate` takes the facts of `extrapolate` with it. A run is found again
by the tag `manex.key`, the hash of its record, set when everything else is logged: a run without it is a live view of a
training or was broken off, and the next logging of its cell replaces it.
"""

from __future__ import annotations

import logging
import math
import os
import re
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UserError
from pipeline.outcomes import DamagedError, Step, cell, figures_of, flat, read_outcome
from pipeline.paths import Paths
from pipeline.settings import settings

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

EXPERIMENT = "manifold-extrapolation"
LOGGED = ("train", "evaluate", "table", "figures")
"""Stages whose records become runs; the record of `extrapolate` joins that of `evaluate`."""


@dataclass(frozen=True)
class Counts:
    """What a sync did, in runs."""

    logged: int
    present: int
    damaged: int


def tracking_uri(paths: Paths) -> str:
    """MLFLOW_TRACKING_URI, or the database under the project."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{paths.mlflow.resolve()}"


def redacted(uri: str) -> str:
    """A URI without the user, password and query it may hold."""
    return re.sub(r"^([\w+.-]+://)[^/]*@", r"\1***@", uri).split("?")[0].split("#")[0]


def log_record(paths: Paths, record: Path) -> bool:
    """Make the run of one record, unless it is there already; true if it was made.

    MLflow's absence never fails a stage: what went wrong is said in one line, and `sync` mends it later.
    """
    if settings().tracking == "off" or record.parent.name not in LOGGED:
        return False
    try:
        return Tracker(paths).log(record)
    except Exception as error:
        _warn(f"MLflow: {_reason(paths, error)}; the results are safe, later: manex track sync")
        return False


def sync(paths: Paths, report: Callable[[str], None] = lambda line: None) -> Counts:
    """Make the missing runs of all records.

    Args:
        report: told of every record as it is done.

    Raises:
        UserError: MLflow cannot be reached.
    """
    records = [path for stage in LOGGED for path in sorted((paths.records / stage).glob("*.json"))]
    made, damaged = [], 0
    try:
        tracker = Tracker(paths)
        for path in records:
            try:
                made.append(tracker.log(path))
                report(f"{path.parent.name} {path.stem}: {'logged' if made[-1] else 'there already'}")
            except DamagedError as error:
                damaged += 1
                _warn(f"{error}; left out")
    except Exception as error:
        raise UserError(f"MLflow: {_reason(paths, error)}; nothing is lost, try again: manex track sync") from None
    return Counts(logged=sum(made), present=len(made) - sum(made), damaged=damaged)


def experiment_id(paths: Paths) -> str:
    """The experiment all runs are in, made if it is not there.

    Raises:
        UserError: MLflow cannot be reached.
    """
    try:
        return Tracker(paths).experiment
    except Exception as error:
        raise UserError(f"MLflow: {_reason(paths, error)}") from None


class Live:
    """A training as it goes, to be watched; the run of the finished record replaces it."""

    def __init__(self, tracker: Tracker | None, run_id: str, paths: Paths):
        self._tracker, self._run_id, self._paths = tracker, run_id, paths

    def log(self, step: int, metrics: Mapping[str, float]) -> None:
        """Add one step; the first failure is told once and ends the live view, not the training."""
        if self._tracker is None:
            return
        try:
            self._tracker.add(self._run_id, [(step, dict(metrics))], [_now()])
        except Exception as error:
            _warn(f"MLflow: {_reason(self._paths, error)}; no live view")
            self._tracker = None


@contextmanager
def live(paths: Paths, stage: str, item: str, params: Mapping[str, Any]) -> Iterator[Live]:
    """A run to watch while a stage works."""
    tracker, run_id = None, ""
    if settings().tracking != "off":
        try:
            tracker = Tracker(paths)
            run_id = tracker.start(stage, item, _now(), {})
            tracker.settle(run_id, flat(params))
        except Exception as error:
            _warn(f"MLflow: {_reason(paths, error)}; no live view")
            tracker = None
    run = Live(tracker, run_id, paths)
    status = "KILLED"
    try:
        yield run
        status = "FINISHED"
    finally:
        if run._tracker is not None:
            try:
                run._tracker.client.set_terminated(run_id, status)
            except Exception as error:
                _warn(f"MLflow: {_reason(paths, error)}")


class Tracker:
    """The experiment, open."""

    def __init__(self, paths: Paths):
        self.paths, self.root = paths, paths.root.resolve()
        with _quiet():
            self.client = _client(tracking_uri(paths))
            self.experiment = self._experiment()

    def _experiment(self) -> str:
        local = f"sqlite:///{self.paths.mlflow.resolve()}"
        mine = (self.root / "mlartifacts").as_uri() if tracking_uri(self.paths) == local else None
        found = self.client.get_experiment_by_name(EXPERIMENT)
        if found is None:
            return str(self.client.create_experiment(EXPERIMENT, artifact_location=mine))
        if found.lifecycle_stage != "active":
            raise UserError(f'the experiment "{EXPERIMENT}" is deleted there; restore it: mlflow experiments restore')
        if mine is not None and found.artifact_location != mine:
            raise UserError(f"{self.paths.mlflow} comes from another folder; remove it, all of it can be made again")
        return str(found.experiment_id)

    def log(self, path: Path) -> bool:
        """Make the run of a record; false if it is there.

        Raises:
            DamagedError: the record or its tables cannot be read.
        """
        outcome = read_outcome(self.paths, path)
        with _quiet():
            same = self._runs_of(outcome.stage, outcome.item)
            if any(run.data.tags.get("manex.key") == outcome.key for run in same):
                return False
            for run in same:
                if "manex.key" not in run.data.tags:
                    self.client.delete_run(run.info.run_id)
            words = {f"manex.{name}": text[:5000] for name, text in outcome.words.items()}
            tags = {**words, "mlflow.source.git.commit": outcome.commit}
            run_id = self.start(outcome.stage, outcome.item, outcome.started, tags)
            share = (outcome.ended - outcome.started) / max(1, len(outcome.steps))
            self.add(run_id, outcome.steps, [outcome.started + int(share * (n + 1)) for n in range(len(outcome.steps))])
            self.add(run_id, [(0, outcome.final)], [outcome.ended])
            self.settle(run_id, outcome.params)
            for file in outcome.files:
                self.client.log_artifact(run_id, str(file))
            if outcome.stage == "figures":
                self._hand_out_figures()
            self.client.set_tag(run_id, "manex.key", outcome.key)
            self.client.set_terminated(run_id, "FINISHED", end_time=outcome.ended)
        return True

    def start(self, stage: str, item: str, started: int, tags: Mapping[str, str]) -> str:
        """A new, unfinished run of a cell, named after it."""
        first, _, second = item.partition("-")
        named = {"dataset": first, "model" if stage == "train" else "method": second} if second else {}
        every = {
            **tags,
            **named,
            "manex.stage": stage,
            "dvc.stage": cell(stage, item),
            "mlflow.source.name": f"manex {stage}",
        }
        with _quiet():
            run = self.client.create_run(self.experiment, start_time=started, run_name=item or stage, tags=every)
        return str(run.info.run_id)

    def settle(self, run_id: str, params: Mapping[str, str]) -> None:
        """Set the parameters of a run."""
        from mlflow.entities import Param

        rows = [Param(name[:250], value[:6000]) for name, value in params.items()]
        with _quiet():
            for chunk in _chunks(rows, 100):
                self.client.log_batch(run_id, params=chunk)

    def add(self, run_id: str, steps: Iterable[Step], times: Iterable[int]) -> None:
        """Add metrics by step; what is not finite is left out."""
        from mlflow.entities import Metric

        rows = [
            Metric(name, value, time, step)
            for (step, numbers), time in zip(steps, times, strict=True)
            for name, value in numbers.items()
            if math.isfinite(value)
        ]
        with _quiet():
            for chunk in _chunks(rows, 1000):
                self.client.log_batch(run_id, metrics=chunk)

    def _runs_of(self, stage: str, item: str) -> list[Any]:
        query = f"tags.`dvc.stage` = '{cell(stage, item)}'"
        return list(self.client.search_runs([self.experiment], filter_string=query))

    def _hand_out_figures(self) -> None:
        """Figures are drawn last: give them to the newest run of each cell they show."""
        for stage in ("train", "evaluate"):
            for record in sorted((self.paths.records / stage).glob("*.json")):
                runs = [run for run in self._runs_of(stage, record.stem) if "manex.key" in run.data.tags]
                for run in runs[:1]:
                    for figure in figures_of(self.paths, stage, record.stem):
                        self.client.log_artifact(run.info.run_id, str(figure))


def _client(uri: str) -> MlflowClient:
    """A client that says nothing, sends no telemetry, and gives up in seconds."""
    for name, value in {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_LOGGING_LEVEL": "ERROR",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
    }.items():
        os.environ.setdefault(name, value)
    from mlflow.tracking import MlflowClient

    logging.getLogger("alembic").setLevel(logging.ERROR)
    if not uri.startswith("http"):
        import mlflow.store.db.utils

        mlflow.store.db.utils.MAX_RETRY_COUNT = 3  # ten tries at a dead database take 100 seconds
    return MlflowClient(uri, registry_uri=uri)


@contextmanager
def _quiet() -> Iterator[None]:
    """MLflow 3.17 uses what SQLAlchemy 2.1 and others call deprecated: nothing a user of this project can mend."""
    with warnings.catch_warnings():
        for category in (DeprecationWarning, FutureWarning, ResourceWarning):
            warnings.simplefilter("ignore", category)
        yield


def _chunks(rows: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]


def _now() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


def _reason(paths: Paths, error: Exception) -> str:
    """Where and what, in one line. Of a server only the kind of error: messages repeat addresses and secrets."""
    uri = tracking_uri(paths)
    if isinstance(error, UserError | DamagedError):
        return str(error)
    what = type(error).__name__
    if "MLFLOW_TRACKING_URI" not in os.environ:
        what += ": " + " ".join(str(error).split())[:160]
    return f"{redacted(uri)} cannot be used ({what})"


def _warn(message: str) -> None:
    sys.stderr.write(f"manex: {message}\n")

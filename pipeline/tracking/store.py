"""The MLflow store: the only file that imports mlflow, inside functions because that takes seconds.

Each revision (the commit of the records, with "+" if files differed from it) is a parent run. Below it is one run per
training, (dataset, method) cell and analysis. The parent holds what belongs to the whole: Table 1 as a table and as
metrics, and the figures. The others name the prepared frames they read (by a hash) and the model they made or used.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.tracking.outcomes import Outcome, Step, cell, read_outcome

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

EXPERIMENT = "manifold-extrapolation"
KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Without it the dashboard opens on a page for chatbots."""


def tracking_uri(paths: Paths) -> str:
    """MLFLOW_TRACKING_URI, or the database under the project."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{paths.mlflow.resolve()}"


def redacted(uri: str) -> str:
    """A URI without the user, password and query it may hold."""
    found = re.match(r"(?P<kind>[\w+.-]+:/*)?(?P<secret>.*@)?(?P<place>[^?#]*)", uri, re.DOTALL)
    assert found is not None
    return (found["kind"] or "") + ("***@" if found["secret"] else "") + found["place"]


class Tracker:
    """The experiment, open."""

    def __init__(self, paths: Paths):
        self.paths, self.root = paths, paths.root.resolve()
        with quiet():
            self.client = client_of(tracking_uri(paths))
            self.experiment = self._experiment()

    def _experiment(self) -> str:
        local = f"sqlite:///{self.paths.mlflow.resolve()}"
        mine = (self.root / "mlartifacts").as_uri() if tracking_uri(self.paths) == local else None
        found = self.client.get_experiment_by_name(EXPERIMENT)
        if found is None:
            return str(self.client.create_experiment(EXPERIMENT, artifact_location=mine, tags=KIND))
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
        with quiet():
            same = self._runs_of(outcome.stage, outcome.item)
            if any(run.data.tags.get("manex.key") == outcome.key for run in same):
                return False
            for run in same:
                if "manex.key" not in run.data.tags:
                    self.client.delete_run(run.info.run_id)
            words = {f"manex.{name}": text[:5000] for name, text in outcome.words.items()}
            tags = {**words, "mlflow.source.git.commit": outcome.commit}
            parent = self.revision(outcome)
            tags["mlflow.parentRunId"] = parent
            run_id = self.start(outcome.stage, outcome.item, outcome.started, tags)
            share = (outcome.ended - outcome.started) / max(1, len(outcome.steps))
            self.add(run_id, outcome.steps, [outcome.started + int(share * (n + 1)) for n in range(len(outcome.steps))])
            self.add(run_id, [(0, outcome.final)], [outcome.ended])
            self.settle(run_id, outcome.params)
            for file in outcome.files:
                self.client.log_artifact(run_id, str(file))
            self._data_and_model(run_id, outcome)
            if not outcome.item:
                self._results(parent, outcome)
            self.client.set_tag(run_id, "manex.key", outcome.key)
            self.client.set_terminated(run_id, "FINISHED", end_time=outcome.ended)
        return True

    def revision(self, outcome: Outcome) -> str:
        """The parent run of a record's revision, made if it does not exist."""
        revision = outcome.words.get("commit") or "no commit"
        found = self.client.search_runs([self.experiment], filter_string=f"tags.`manex.revision` = '{revision}'")
        if found:
            return str(found[0].info.run_id)
        tags = {
            "manex.revision": revision,
            "mlflow.source.git.commit": outcome.commit,
            "mlflow.source.name": "dvc repro",
        }
        made = self.client.create_run(self.experiment, outcome.started, tags, f"revision {revision}")
        run_id = str(made.info.run_id)
        self.client.set_terminated(run_id, "FINISHED", end_time=outcome.ended)
        return run_id

    def _results(self, parent: str, outcome: Outcome) -> None:
        """What belongs to the whole in the parent: Table 1 as a table to look at, metrics to plot, and the figures."""
        for file in outcome.files[1:]:
            self.client.log_artifact(parent, str(file))
            if file.name == "table1.csv":
                import pandas as pd

                rows = pd.read_csv(file)
                self.client.log_table(
                    parent, rows.astype(object).where(rows.notna(), None).to_dict("list"), "table1.json"
                )
        self.add(parent, [(0, {name: v for name, v in outcome.final.items() if "/" in name})], [outcome.ended])

    def _data_and_model(self, run_id: str, outcome: Outcome) -> None:
        """Name the frames a run read, and the model that a training made or a cell walked with."""
        from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelInput, LoggedModelOutput

        if outcome.frames is None:
            return
        dataset, file = outcome.frames
        digest = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
        context = InputTag("mlflow.data.context", "training" if outcome.stage == "train" else "evaluation")
        frames = DatasetInput(Dataset(dataset, digest, "local", json.dumps({"uri": str(file)})), [context])
        name = f"{dataset}-{outcome.model}"
        if outcome.stage == "train":
            model = self.client.create_logged_model(self.experiment, name, run_id, params=dict(outcome.params))
            self.client.finalize_logged_model(model.model_id, "READY")
            self.client.log_inputs(run_id, [frames])
            self.client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])
            return
        latest = [{"field_name": "creation_timestamp", "ascending": False}]
        made = self.client.search_logged_models([self.experiment], f"name = '{name}'", order_by=latest, max_results=1)
        self.client.log_inputs(run_id, [frames], [LoggedModelInput(model.model_id) for model in made])

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
        with quiet():
            run = self.client.create_run(self.experiment, start_time=started, run_name=item or stage, tags=every)
        return str(run.info.run_id)

    def settle(self, run_id: str, params: Mapping[str, str]) -> None:
        """Set the parameters of a run."""
        from mlflow.entities import Param

        rows = [Param(name[:250], value[:6000]) for name, value in params.items()]
        with quiet():
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
        with quiet():
            for chunk in _chunks(rows, 1000):
                self.client.log_batch(run_id, metrics=chunk)

    def _runs_of(self, stage: str, item: str) -> list[Any]:
        query = f"tags.`dvc.stage` = '{cell(stage, item)}'"
        return list(self.client.search_runs([self.experiment], filter_string=query))


def client_of(uri: str) -> MlflowClient:
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
def quiet() -> Iterator[None]:
    """MLflow 3.17 uses what SQLAlchemy 2.1 and others call deprecated: nothing a user of this project can fix."""
    with warnings.catch_warnings():
        for category in (DeprecationWarning, FutureWarning, ResourceWarning):
            warnings.simplefilter("ignore", category)
        yield


def _chunks(rows: list[Any], size: int) -> Iterator[list[Any]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size]

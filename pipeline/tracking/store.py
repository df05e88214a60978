"""The MLflow store: the only file that imports mlflow, inside functions because that takes seconds.

One parent run per revision (the commit of the records, with "+" if files differed from it); below it one run per
record: a training, a method on a dataset, an analysis. The parent holds what belongs to the whole: Table 1 as a table
and as metrics, and the figures. Runs name the prepared frames they read, by a hash, and the model they made or used.
Others may use the same store: each run names its owner, and nobody's run is changed or deleted by another owner.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import posixpath
import shlex
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.storage.digest import digest
from pipeline.tracking.address import local_uri, tracking_uri
from pipeline.tracking.outcomes import Outcome, Step, cell, read_outcome
from pipeline.tracking.owner import lives, owner, process

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

EXPERIMENT = "manifold-extrapolation"
KIND = {"mlflow.experimentKind": "custom_model_development"}
"""Without it the dashboard opens on a page for chatbots."""
NAMED = {"train": "model", "analyse": "analysis"}
"""What the second part of a run's name is; of other stages it is a method."""


class Tracker:
    """The experiment, open."""

    def __init__(self, paths: Paths):
        self.paths, self.owner = paths, owner(paths)
        with quiet():
            self.client = client_of(tracking_uri(paths))
            self.experiment = self._experiment()

    def _experiment(self) -> str:
        uri, local = tracking_uri(self.paths), local_uri(self.paths)
        mine = self.paths.artifacts.resolve().as_uri() if uri == local else None
        found = self.client.get_experiment_by_name(EXPERIMENT)
        if found is None:
            return str(self.client.create_experiment(EXPERIMENT, artifact_location=mine, tags=KIND))
        if found.lifecycle_stage != "active":
            restore = f"mlflow experiments restore --experiment-id {found.experiment_id}"
            restore = f"MLFLOW_TRACKING_URI={shlex.quote(local)} {restore}" if mine else restore
            raise UserError(f'the experiment "{EXPERIMENT}" is deleted there; restore it: {restore}')
        if mine is not None and found.artifact_location != mine:
            away = shlex.join(["mv", str(self.paths.mlflow), f"{self.paths.mlflow}.earlier"])
            raise UserError(
                f"{self.paths.mlflow} comes from another folder, and its files are in {found.artifact_location}: "
                f"to keep it, move the project back there; to begin anew here, move it away: {away}"
            )
        return str(found.experiment_id)

    def mine(self, query: str) -> list[Any]:
        """The runs of this owner that a filter of MLflow finds."""
        return [run for run in self.search(query) if run.data.tags.get("manex.owner") == self.owner]

    def log(self, path: Path) -> bool:
        """Make the run of a record; false if it is there.

        Raises:
            DamagedError: the record cannot be read.
        """
        outcome = read_outcome(self.paths, path)
        with quiet():
            same = self.mine(f"tags.`dvc.stage` = '{cell(outcome.stage, outcome.item)}'")
            if any(run.data.tags.get("manex.key") == outcome.key for run in same):
                return False
            for run in same:
                if "manex.key" not in run.data.tags and not lives(run.info.status, run.data.tags):
                    self.client.delete_run(run.info.run_id)
            words = {f"manex.{name}": text[:5000] for name, text in outcome.words.items()}
            parent = self._revision(outcome)
            tags = {**words, "mlflow.source.git.commit": outcome.commit, "mlflow.parentRunId": parent}
            run_id = self.start(outcome.stage, outcome.item, outcome.started, tags)
            self.add(run_id, outcome.series, outcome.started, outcome.ended)
            self.add(run_id, [(0, outcome.numbers | outcome.metrics)], outcome.ended)
            self.settle(run_id, outcome.params)
            self.client.log_text(run_id, outcome.text, self.paths.record(outcome.stage, outcome.item).name)
            for file in outcome.files:
                self.client.log_artifact(run_id, str(file))
            self._data_and_model(run_id, outcome)
            if not outcome.item:
                self._results(parent, outcome)
            self.finish(run_id, outcome.key, outcome.ended)
        return True

    def parent(self, kind: str, name: str, started: int, tags: Mapping[str, str]) -> str:
        """This owner's run that others are children of, such as that of a revision; made if it is not there."""
        if found := self.mine(f"tags.`manex.{kind}` = '{name}'"):
            return str(found[0].info.run_id)
        every = {**tags, f"manex.{kind}": name, "manex.owner": self.owner}
        made = self.client.create_run(self.experiment, started, every, f"{kind} {name}")
        return str(made.info.run_id)

    def _revision(self, outcome: Outcome) -> str:
        tags = {"mlflow.source.git.commit": outcome.commit, "mlflow.source.name": "dvc repro"}
        run_id = self.parent("revision", outcome.words["commit"] or "no commit", outcome.started, tags)
        self.client.set_terminated(run_id, "FINISHED", end_time=outcome.ended)
        return run_id

    def _results(self, parent: str, outcome: Outcome) -> None:
        """What belongs to the whole, in the parent: files in the folders of reports/, Table 1 as a table, metrics."""
        reports = self.paths.records.parent
        for file in outcome.files:
            folder = file.parent.relative_to(reports).as_posix() if file.is_relative_to(reports) else "."
            folder = "" if folder == "." else folder
            self.client.log_artifact(parent, str(file), folder or None)
            if file.name == "table1.csv":
                self._table(parent, file, posixpath.join(folder, "table1.json"))
        self.add(parent, [(0, outcome.metrics)], outcome.ended)

    def _table(self, run_id: str, file: Path, name: str) -> None:
        """A table to look at, in place of an earlier one; `log_table` of MLflow would append the rows to it."""
        import pandas as pd

        self.client.log_text(run_id, pd.read_csv(file).to_json(orient="split", index=False), name)
        tags = self.client.get_run(run_id).data.tags
        known = json.loads(tags.get("mlflow.loggedArtifacts", "[]"))
        if (entry := {"path": name, "type": "table"}) not in known:
            self.client.set_tag(run_id, "mlflow.loggedArtifacts", json.dumps([*known, entry]))

    def _data_and_model(self, run_id: str, outcome: Outcome) -> None:
        """Name the frames a run read, and the model that a training made or a cell walked with."""
        from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelInput, LoggedModelOutput

        if outcome.frames is None:
            return
        dataset, file = outcome.frames
        hashed = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
        context = InputTag("mlflow.data.context", "training" if outcome.stage == "train" else "evaluation")
        frames = DatasetInput(Dataset(dataset, hashed, "local", json.dumps({"uri": str(file)})), [context])
        name = f"{dataset}-{outcome.model}".replace("/", "-")  # MLflow allows no slash
        weights = digest(self.paths.model(dataset, outcome.model))
        if outcome.stage == "train":
            tags, params = {"manex.weights": weights}, dict(outcome.params)
            model = self.client.create_logged_model(self.experiment, name, run_id, tags, params)
            self.client.finalize_logged_model(model.model_id, "READY")
            self.client.log_inputs(run_id, [frames])
            self.client.log_outputs(run_id, [LoggedModelOutput(model.model_id, 0)])
            return
        latest = [{"field_name": "creation_timestamp", "ascending": False}]
        named = self.client.search_logged_models([self.experiment], f"name = '{name}'", order_by=latest)
        made = [model.model_id for model in named if model.tags.get("manex.weights") == weights]
        self.client.log_inputs(run_id, [frames], [LoggedModelInput(model_id) for model_id in made[:1]])

    def start(self, stage: str, item: str, started: int, tags: Mapping[str, str]) -> str:
        """A new, unfinished run of a cell, named after it."""
        first, _, second = item.partition("-")
        named = {"dataset": first, NAMED.get(stage, "method"): second} if second else {}
        every = {
            **tags,
            **named,
            "manex.stage": stage,
            "manex.owner": self.owner,
            "manex.process": process(os.getpid()),
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

    def add(self, run_id: str, series: Sequence[Step], since: int, until: int | None = None) -> None:
        """Add metrics by step, their times spread evenly up to `until`; what is not finite is left out."""
        from mlflow.entities import Metric

        share = ((until or since) - since) / max(1, len(series))
        rows = [
            Metric(name, value, since + int(share * number), step)
            for number, (step, numbers) in enumerate(series, 1)
            for name, value in numbers.items()
            if math.isfinite(value)
        ]
        with quiet():
            for chunk in _chunks(rows, 1000):
                self.client.log_batch(run_id, metrics=chunk)

    def finish(self, run_id: str, key: str, ended: int, status: str = "FINISHED") -> None:
        """Mark a run as whole: it is found again by its key."""
        self.client.set_tag(run_id, "manex.key", key)
        self.client.set_terminated(run_id, status, end_time=ended)

    def search(self, query: str) -> list[Any]:
        """All runs of the experiment that a filter of MLflow finds."""
        runs: list[Any] = []
        page = None
        while page != "":
            found = self.client.search_runs([self.experiment], filter_string=query, page_token=page)
            runs += found
            page = found.token or ""
        return runs


def client_of(uri: str) -> MlflowClient:
    """A client that says nothing, sends no telemetry, and gives up in seconds."""
    for name, value in {
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "MLFLOW_LOGGING_LEVEL": "ERROR",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "8",
    }.items():
        os.environ.setdefault(name, value)
    os.environ["MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT"] = "true"  # the address as it is, with its password
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

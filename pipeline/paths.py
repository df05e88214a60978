"""Every path of the project, once, relative to the project's root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

KEPT = ".kept"
"""An empty folder that DVC tracks: it makes the folder around it wherever a run is restored, whatever else is there."""


@dataclass(frozen=True)
class Paths:
    """Where things are below a root; the root is the folder that holds params.yaml.

    Attributes:
        home: the folder of the profile's results, as `reports` in params.yaml says.
    """

    root: Path = Path()
    home: str = "reports"

    @property
    def params(self) -> Path:
        return self.root / "params.yaml"

    @property
    def lock(self) -> Path:
        return self.root / "dvc.lock"

    @property
    def profiles(self) -> Path:
        return self.root / "profiles"

    def profile(self, name: str) -> Path:
        return self.profiles / f"{name}.yaml"

    @property
    def code(self) -> Path:
        """The code of each cell, for DVC."""
        return self.root / "data" / "code"

    def raw(self, source: str) -> Path:
        """Raw data as fetched."""
        return self.root / "data" / "raw" / source

    def prepared(self, dataset: str) -> Path:
        return self.root / "data" / "prepared" / dataset

    @property
    def plug_ins(self) -> Path:
        """The user's plug-in denoisers."""
        return self.root / "data" / "own"

    def model(self, dataset: str, model: str) -> Path:
        """A trained network; FAMILY/MEMBER for a member of a family."""
        return self.root / "models" / dataset / model

    def training(self, dataset: str, model: str) -> Path:
        """What `train` wrote: the network, or the family that it is a member of."""
        return self.model(dataset, model.partition("/")[0])

    def checkpoint(self, dataset: str, model: str) -> Path:
        """Outside the tracked output, which DVC empties before it runs the stage."""
        return self.root / "models" / ".checkpoints" / f"{dataset}-{model.replace('/', '-')}.safetensors"

    def weights(self, dataset: str) -> Path:
        """The hashes of what each method walks with, for DVC."""
        return self.root / "data" / "weights" / dataset

    def extrapolated(self, dataset: str, method: str) -> Path:
        return self.root / "data" / "extrapolated" / dataset / method

    def scores(self, dataset: str) -> Path:
        return self.root / "data" / "scores" / dataset

    @property
    def analyses(self) -> Path:
        return self.root / "data" / "analyses"

    def analysis(self, dataset: str, analysis: str) -> Path:
        return self.analyses / dataset / analysis

    @property
    def reports(self) -> Path:
        """The results of the profile."""
        return self.root / self.home

    @property
    def figures(self) -> Path:
        return self.reports / "figures"

    @property
    def pictures(self) -> Path:
        """Moving pictures: too large for git at every change."""
        return self.reports / "pictures"

    @property
    def private(self) -> Path:
        """Pictures that must stay out of git: of real people, of the user's clips."""
        return self.reports / "private"

    @property
    def page(self) -> Path:
        return self.reports / "index.html"

    @property
    def provenance(self) -> Path:
        """Commit and hashes behind the results."""
        return self.reports / "provenance.json"

    @property
    def costs(self) -> Path:
        return self.reports / "costs.csv"

    @property
    def records(self) -> Path:
        """What each run of a stage did: times, machine, commit. Not tracked, so that outputs stay byte-identical."""
        return self.root / "reports" / "records"

    def record(self, stage: str, item: str) -> Path:
        return self.records / stage / f"{item.replace('/', '-') or 'all'}.json"

    def earlier(self, stage: str, item: str) -> Path:
        """Records of a cell for other inputs than the latest; those of queued experiments are in the original, too."""
        return self.original / "reports" / "records" / "earlier" / stage / self.record(stage, item).stem

    @property
    def original(self) -> Path:
        """The root; of an experiment that DVC runs in a copy, .dvc/tmp/exps/..., that of the project it is of."""
        for folder in self.root.resolve().parents:
            if folder.parts[-3:] == (".dvc", "tmp", "exps"):
                return folder.parents[2]
        return self.root

    def sweep(self, name: str) -> Path:
        """A sweep's cells, trainings, table and picture; not tracked."""
        return self.root / "reports" / "sweeps" / name

    @property
    def mlflow(self) -> Path:
        return self.original / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        """The files of the runs in `mlflow`."""
        return self.original / "mlartifacts"

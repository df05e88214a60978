"""Every path of the project, once, relative to the project's root."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Paths:
    """Where things lie below a root; the root is the folder that holds params.yaml."""

    root: Path = Path()

    @property
    def params(self) -> Path:
        return self.root / "params.yaml"

    @property
    def lock(self) -> Path:
        return self.root / "dvc.lock"

    def profile(self, name: str) -> Path:
        return self.root / "profiles" / f"{name}.yaml"

    @property
    def profiles(self) -> Path:
        return self.root / "profiles"

    @property
    def checked(self) -> Path:
        """Says that params.yaml fits."""
        return self.root / "data" / "checked"

    def raw(self, source: str) -> Path:
        """Raw data as fetched."""
        return self.root / "data" / "raw" / source

    def prepared(self, dataset: str) -> Path:
        return self.root / "data" / "prepared" / dataset

    @property
    def own(self) -> Path:
        """Own denoisers of the user's."""
        return self.root / "data" / "own"

    def own_files(self) -> list[Path]:
        """All there is in `own` but bytecode, relative to the root."""
        files = (path for path in sorted(self.own.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
        return [path.relative_to(self.root) for path in files]

    @property
    def fingerprints(self) -> Path:
        """What own denoisers are made of, for DVC."""
        return self.root / "data" / "fingerprints"

    def model(self, dataset: str, model: str) -> Path:
        return self.root / "models" / dataset / model

    def checkpoint(self, dataset: str, model: str) -> Path:
        """Outside the tracked output, which DVC empties before it runs the stage."""
        return self.root / "models" / ".checkpoints" / f"{dataset}-{model}.safetensors"

    def extrapolated(self, dataset: str, method: str) -> Path:
        return self.root / "data" / "extrapolated" / dataset / method

    def spectrum(self, dataset: str) -> Path:
        return self.root / "data" / "spectrum" / dataset

    def scores(self, dataset: str, method: str) -> Path:
        return self.root / "reports" / "scores" / dataset / method

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def records(self) -> Path:
        """What each run of a stage did: times, machine, commit. Not tracked, so that outputs stay byte-identical."""
        return self.root / "reports" / "records"

    def record(self, stage: str, item: str) -> Path:
        return self.records / stage / f"{item or 'all'}.json"

    @property
    def figures(self) -> Path:
        return self.root / "reports" / "figures"

    @property
    def pictures(self) -> Path:
        """Moving pictures: too large for git at every change."""
        return self.root / "reports" / "pictures"

    @property
    def private(self) -> Path:
        """Pictures that git must not get: of real people, of a user's own clips."""
        return self.root / "reports" / "private"

    @property
    def page(self) -> Path:
        return self.root / "reports" / "index.html"

    def sweep(self, name: str) -> Path:
        """Of `manex sweep`: cells, trainings, table and picture; not tracked."""
        return self.root / "reports" / "sweeps" / name

    @property
    def costs(self) -> Path:
        return self.root / "reports" / "costs.csv"

    @property
    def mlflow(self) -> Path:
        return self.root / "mlflow.db"

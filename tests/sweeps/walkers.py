"""A project as small as it gets: two drawn walkers, a network of a few steps; for the tests of sweeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.config.params import Params, parse
from pipeline.config.training import TrainingEntry
from pipeline.paths import Paths
from pipeline.stages.prepare import prepare
from pipeline.stages.train import train
from pipeline.sweeps.grid import parse_grid
from pipeline.sweeps.sweep import Sweep
from pipeline.sweeps.tasks import Outcome

FLOW = {"algorithm": "tangent_flow", "frames": 3, "sigma_255": 25, "substeps": 1, "draws": 1}
TRAINING = {"network": "resunet", "widths": [4], "steps": 4, "batch": 4, "record_every": 2, "learning_rate": 0.02}
VALUES: dict[str, Any] = {
    "profile": "tiny",
    "reports": "reports/tiny",
    "sources": [],
    "datasets": ["walker"],
    "models": ["resunet"],
    "analyses": [],
    "analyse": {},
    "methods": ["tangent_flow", "tangent_space", "linear", "persistence", "coloured", "absent"],
    "data": {"walker": {"kind": "walker", "people": 2, "size": 16, "frames": 8, "held_out": 3, "dense": 40}},
    "train": {"walker": {"resunet": TRAINING}},
    "trials": {"seeds": [100]},
    "extrapolate": {
        "walker": {
            "tangent_flow": FLOW,
            "tangent_space": {"algorithm": "tangent_space", "frames": 2, "sigma_255": 25, "eta": 1, "max_products": 8},
            "linear": {"algorithm": "linear", "frames": 3, "sigma_255": 25, "eta": 1},
            "persistence": {"algorithm": "persistence", "frames": 3},
            "coloured": {**FLOW, "denoiser": "memoriser", "noise": {"kind": "free_field", "gamma": 0.5}},
            "absent": {"algorithm": "skipped", "reason": "not wanted"},
        }
    },
}
PARAMS: Params = parse(VALUES, "params.yaml")


def made(root: Path) -> Paths:
    """The project with its frames prepared and its network trained."""
    paths = Paths(root)
    prepare("walker", PARAMS.dataset("walker"), paths)
    train("walker", "resunet", training(), paths)
    return paths


def training(model: str = "resunet", **changes: Any) -> TrainingEntry:
    """The training of the project with other settings."""
    values = {**VALUES, "train": {"walker": {model: {**TRAINING, **changes}}}}
    entry = parse(values, "params.yaml").training("walker", model)
    assert isinstance(entry, TrainingEntry)
    return entry


def sweep(paths: Paths, name: str = "tiny", **grid: Any) -> Sweep:
    return Sweep(name, parse_grid({"datasets": ["walker"], "seeds": [100], **grid}, f"{name}.yaml"), PARAMS, paths)


def finished(job: Sweep, **options: bool) -> list[Outcome]:
    """What the sweep had to do."""
    return list(job.run(**options))


def files(paths: Paths, name: str = "tiny") -> dict[str, bytes]:
    """What must be the same wherever and however often a sweep runs."""
    folder = paths.sweep(name)
    return {file: (folder / file).read_bytes() for file in ("sweep.csv", "heatmap.png", "heatmap.svg")}

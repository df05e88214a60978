from __future__ import annotations

from pathlib import Path

from pipeline.config.params import load
from pipeline.paths import Paths
from pipeline.storage.skipped import write_absence
from pipeline.stages.table import table

ROOT = Path(__file__).parents[2]


def test_what_was_trained_on_ordered_clips_stands_apart_and_costs_have_a_row_for_everything(tmp_path: Path) -> None:
    params, paths = load(ROOT / "profiles" / "rivals.yaml"), Paths(tmp_path)
    for dataset in params.datasets:
        write_absence(paths.prepared(dataset), "nothing was run")
        for method in params.methods:
            write_absence(paths.scores(dataset, method), "nothing was run")
            write_absence(paths.extrapolated(dataset, method), "nothing was run")
        for model in params.models:
            write_absence(paths.model(dataset, model), "nothing was run")
    table(params, paths)
    for part in (paths.reports / "table1.md").read_text().split("\n## ")[1:]:
        before, _, supervised = part.partition("### Rivals with more supervision: trained on ordered clips")
        rows = [line.split("|")[1].strip() for line in supervised.splitlines() if "not run" in line]
        assert rows == ["rnn_ode", "mcvd"]
        assert "| ddim_latent |" in before
    costs = {tuple(line.split(",")[:3]) for line in paths.costs.read_text().splitlines()[1:]}
    trained = {(dataset, "train", model) for dataset in params.datasets for model in params.models}
    walked = {(dataset, "extrapolate", method) for dataset in params.datasets for method in params.methods}
    assert costs == trained | walked

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from walkers import PARAMS, TRAINING, VALUES, files, finished, sweep, training

from manex.metrics.scores import NUMBERS, score
from pipeline.config.params import load, parse
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.stages.evaluate import evaluate
from pipeline.stages.extrapolate import extrapolate
from pipeline.stages.train import train
from pipeline.storage.artifacts import SEAL
from pipeline.storage.prepared import load_prepared
from pipeline.storage.trials import load_trials
from pipeline.sweeps.grid import load_grid, parse_grid
from pipeline.sweeps.sweep import Sweep

FOUR = {"methods": {"tangent_flow": {"speed": [1, 1.5]}, "linear": {}}, "seeds": [100, 101]}
"""Six cells."""
BROKEN = {"methods": {"linear": {"eta": [1, 1e39]}}}
"""Two cells, of which one leaves the numbers."""


def table(paths: Paths, name: str = "tiny") -> pd.DataFrame:
    return pd.read_csv(paths.sweep(name) / "sweep.csv")


def cells(paths: Paths) -> list[Path]:
    return sorted((paths.sweep("tiny") / "cells").iterdir())


def test_a_cell_scores_what_the_stages_score(paths: Paths) -> None:
    finished(sweep(paths, methods={"tangent_flow": {"speed": 1.5}}))
    entry = PARAMS.method("walker", "tangent_flow").replaced({"speed": 1.5})
    extrapolate("walker", "tangent_flow", entry, [100], paths)
    evaluate("walker", {"tangent_flow": entry}, paths)
    written = pd.read_csv(paths.scores("walker") / "scores.csv", dtype=str)
    (videos,) = load_trials("walker", "tangent_flow", paths).frames
    scores = [one.numbers for one in score(load_prepared("walker", paths), videos)]
    (cell,) = cells(paths)
    result = json.loads(cell.read_text())["result"]
    assert sorted(result) == sorted(NUMBERS) == sorted(set(written.columns) - {"method", "trial", "video"})
    for name, values in result.items():
        assert values == [row[name] for row in scores]
        assert [f"{value:.6g}" for value in values] == written[name].tolist()


def test_the_table_has_a_row_for_every_cell_in_the_order_of_the_grid(paths: Paths) -> None:
    assert len(finished(sweep(paths, **FOUR))) == 6
    rows = table(paths)
    assert rows["method"].tolist() == ["tangent_flow"] * 4 + ["linear"] * 2
    assert rows["speed"].tolist()[:4] == [1, 1, 1.5, 1.5]
    assert rows["seed"].tolist() == [100, 101] * 3
    assert rows["status"].unique().tolist() == ["done"]
    assert rows["dtw_ssid"].between(0, 2).all()
    assert {path.stem for path in cells(paths)} == set(rows["cell"])


def test_a_sweep_run_again_does_nothing_and_writes_the_same_bytes(paths: Paths) -> None:
    finished(sweep(paths, **FOUR))
    before = files(paths)
    assert finished(sweep(paths, **FOUR)) == []
    assert files(paths) == before


@pytest.mark.parametrize("damage", ["gone", "cut short", "one digit changed"])
def test_a_cell_that_is_lost_is_done_again_and_no_other(damage: str, paths: Paths) -> None:
    finished(sweep(paths, **FOUR))
    before, cell = files(paths), cells(paths)[3]
    text = cell.read_text()
    if damage == "gone":
        cell.unlink()
    else:
        key = '"dtw_ssid": [\n   0.'
        place = text.index(key) + len(key)
        changed = text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
        cell.write_text(text[:place] if damage == "cut short" else changed)
    assert [outcome.key for outcome in finished(sweep(paths, **FOUR))] == [cell.stem]
    assert files(paths) == before


def test_a_larger_grid_does_what_is_new(paths: Paths) -> None:
    finished(sweep(paths, methods={"tangent_flow": {"speed": [1, 1.5]}}))
    assert len(finished(sweep(paths, methods={"tangent_flow": {"speed": [1, 1.5, 2]}}))) == 1
    assert len(table(paths)) == 3


def test_another_network_makes_other_cells(paths: Paths) -> None:
    grid = {"methods": {"linear": {}, "persistence": {}}}
    finished(sweep(paths, **grid))
    train("walker", "resunet", training(seed=5), paths)
    assert len(finished(sweep(paths, **grid))) == 1  # persistence has no network


def test_a_failed_cell_is_kept_as_failed_and_the_others_go_on(paths: Paths) -> None:
    job = sweep(paths, **BROKEN)
    assert [outcome.result is None for outcome in finished(job)] == [False, True]
    rows = table(paths)
    assert rows["status"].tolist() == ["done", "failed"]
    assert "not finite" in rows["message"][1] or "NaN" in rows["message"][1]
    assert [row.names["eta"] for row in job.failed] == [1e39]
    assert "Traceback" not in rows["message"][1]


def test_a_cell_whose_settings_cannot_work_says_which(paths: Paths) -> None:
    (outcome,) = finished(sweep(paths, methods={"tangent_space": {"rank": 5, "max_products": 8}}))
    assert outcome.message == "max_products 8 is too little to find 5 eigenvectors"


def test_a_failed_cell_is_done_again_when_asked_to(paths: Paths) -> None:
    finished(sweep(paths, **BROKEN))
    assert finished(sweep(paths, **BROKEN)) == []
    assert [outcome.result for outcome in finished(sweep(paths, **BROKEN), retry_failed=True)] == [None]


def test_what_params_skips_is_not_run_and_says_why(paths: Paths) -> None:
    assert finished(sweep(paths, methods={"absent": {}})) == []
    assert table(paths)[["status", "message"]].to_numpy().tolist() == [["not run", "not wanted"]]


def test_a_train_seed_makes_the_network_that_the_stage_train_makes(paths: Paths) -> None:
    before = {path: path.read_bytes() for path in (paths.root / "models").rglob("*") if path.is_file()}
    job = sweep(paths, methods={"linear": {}, "persistence": {}}, train_seeds=[0, 7])
    assert len(finished(job)) == 4  # the training with seed 7; both networks; persistence once
    assert {path: path.read_bytes() for path in (paths.root / "models").rglob("*") if path.is_file()} == before
    (folder,) = (paths.sweep("tiny") / "trainings").glob("*/models/walker/resunet")
    other = Paths(paths.root.parent / "other")
    shutil.copytree(paths.prepared("walker"), other.prepared("walker"))
    train("walker", "resunet", training(seed=7), other)
    for path in other.model("walker", "resunet").iterdir():
        if path.name != SEAL:  # it names the prepared dataset, of which a sweep has no copy
            assert (folder / path.name).read_bytes() == path.read_bytes()
    rows = table(paths)
    assert rows["train_seed"].fillna(-1).tolist() == [0, 7, -1]
    assert rows["dtw_ssid"].nunique() == 3
    assert finished(sweep(paths, methods={"linear": {}, "persistence": {}}, train_seeds=[0, 7])) == []


def test_a_train_seed_of_a_network_on_ordered_clips_makes_what_the_stage_makes(paths: Paths) -> None:
    chosen = {"network": "rnn_ode", "latent": 4, "hidden": 8, "steps": 2, "batch": 2, "horizon": 3, "targets": 2}
    chosen["learning_rate"] = 0.02
    walked = {"algorithm": "rnn_ode", "frames": 3}
    values = {**VALUES, "models": ["resunet", "rnn_ode"], "methods": ["rnn_ode"]}
    values |= {"train": {"walker": {"resunet": TRAINING, "rnn_ode": chosen}}}
    values |= {"extrapolate": {"walker": {"rnn_ode": walked}}}
    grid = parse_grid({"datasets": ["walker"], "methods": {"rnn_ode": {}}, "seeds": [100], "train_seeds": [7]}, "")
    params = parse(values, "params.yaml")
    outcomes = finished(Sweep("tiny", grid, params, paths))
    assert [outcome.message for outcome in outcomes] == ["", ""]
    (weights,) = (paths.sweep("tiny") / "trainings").rglob("weights.safetensors")
    train("walker", "rnn_ode", params.training("walker", "rnn_ode").replaced({"seed": 7}), paths)
    assert weights.read_bytes() == (paths.model("walker", "rnn_ode") / "weights.safetensors").read_bytes()


def test_a_damaged_network_of_the_sweep_is_trained_again(paths: Paths) -> None:
    grid = {"methods": {"linear": {}}, "train_seeds": [7]}
    finished(sweep(paths, **grid))
    before = files(paths)
    (weights,) = (paths.sweep("tiny") / "trainings").rglob("weights.safetensors")
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert len(finished(sweep(paths, **grid))) == 1
    assert weights.read_bytes() == content
    assert files(paths) == before


def test_cells_of_a_training_that_failed_say_so(paths: Paths) -> None:
    bad = {**TRAINING, "learning_rate": 1e12, "optimiser": "adam", "steps": 40}
    params = parse({**VALUES, "train": {"walker": {"resunet": bad}}}, "params.yaml")
    grid = parse_grid({"datasets": ["walker"], "methods": {"linear": {}, "persistence": {}}, "train_seeds": [3]}, "")
    job = Sweep("tiny", grid, params, paths)
    outcomes = finished(job)
    assert [outcome.result is None for outcome in outcomes] == [True, False, False]
    assert [row.names["method"] for row in job.failed] == ["linear", "linear"]
    assert all(row.message.startswith("its training failed: ") for row in job.failed)


def test_frames_that_change_under_a_sweep_are_refused(paths: Paths) -> None:
    job = sweep(paths, methods={"persistence": {}})
    (paths.prepared("walker") / "dataset.json").write_text("{}")
    (outcome,) = finished(job)
    assert outcome.result is None
    assert "not the files the sweep began with" in outcome.message


def test_two_sweeps_of_one_name_do_not_run_at_once(paths: Paths) -> None:
    first = sweep(paths, **FOUR).run()
    next(first)
    with pytest.raises(UserError, match="another manex sweep"):
        finished(sweep(paths, **FOUR))
    list(first)
    assert finished(sweep(paths, **FOUR)) == []


def test_a_missing_network_is_told_before_anything_runs(paths: Paths) -> None:
    shutil.rmtree(paths.model("walker", "resunet"))
    with pytest.raises(UserError, match="make it with: manex train walker resunet"):
        sweep(paths, methods={"persistence": {}, "linear": {}})
    assert not paths.sweep("tiny").exists()


def test_a_sweep_broken_off_goes_on_where_it_was(paths: Paths) -> None:
    whole = Paths(Path(shutil.copytree(paths.root, paths.root.parent / "whole")))
    finished(sweep(whole, **FOUR))
    begun = sweep(paths, **FOUR).run()
    next(begun), next(begun)
    begun.close()
    assert len(cells(paths)) == 2
    assert len(finished(sweep(paths, **FOUR))) == 4
    assert files(paths) == files(whole)


def test_the_example_fits_the_shipped_settings() -> None:
    root = Path(__file__).parents[2]
    name, grid = load_grid(root / "sweeps" / "example.yaml", load(root / "params.yaml"))
    assert (name, grid.datasets) == ("example", ("rotated_mnist",))

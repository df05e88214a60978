"""Both tables: their columns, their blocks, and the rows of datasets that cannot be made here."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from small_project import PARAMS

from pipeline.config.params import Params, load, parse
from pipeline.paths import Paths
from pipeline.stages.evaluate import evaluate
from pipeline.stages.extrapolate import extrapolate
from pipeline.stages.prepare import prepare
from pipeline.stages.table import table
from pipeline.storage.skipped import write_absence

ROOT = Path(__file__).parents[2]
WHY = "the clips are not at hand"
TABLE1 = (
    "dataset,protocol,method,dtw_ssid,dtw_ssid_sd,dtw_ssid_greedy,coverage,reversals,seconds_per_frame,trials,videos,"
    "dtw_ssid_low,dtw_ssid_high,distance,stalls,jumps,floors,residual,residual_spearman,not_run,block"
)
DENOISERS = (
    "dataset,denoiser,method,sigma_255,psnr,psnr_videos,tangent_angle,retention,asymmetry,effective_dimension,"
    "dtw_ssid,not_run"
)
KEPT = ("table1.csv", "table1.md", "denoisers.csv", "denoisers.md", "metrics.json")


def test_the_columns_are_those_of_the_contract(made: Paths) -> None:
    """Scripts of others read them; version 0.1 had the same but for those after `jumps`."""
    assert (made.reports / "table1.csv").read_text().splitlines()[0] == TABLE1
    assert (made.reports / "denoisers.csv").read_text().splitlines()[0] == DENOISERS


def test_rivals_have_a_block_of_their_own_below_the_walks(made: Paths) -> None:
    walks, rivals = (made.reports / "table1.md").read_text().partition("## clips")[0].split("### Rivals")
    assert "\n| oracle |" in walks
    rows = [line.split()[1] for line in rivals.splitlines() if line.startswith("| ")][1:]
    assert rows == ["persistence", "local_pca"]
    found = pd.read_csv(made.reports / "table1.csv")
    found = found[found["dataset"] == "rotated_mnist"]
    assert dict(zip(found["method"], found["block"], strict=True)) == {
        "oracle": "manifold", "persistence": "rivals", "local_pca": "rivals"
    }  # fmt: skip


def test_the_table_says_which_protocol_it_is_and_what_the_data_are(made: Paths) -> None:
    rows = pd.read_csv(made.reports / "table1.csv")
    assert rows.groupby("dataset")["protocol"].first().to_dict() == {"clips": "paper", "rotated_mnist": "held_out"}
    text = (made.reports / "table1.md").read_text()
    assert "Trained on 3 other digits" in text
    assert "1 clips of one's own, 10 frames" in text


def test_metrics_hold_the_table(made: Paths) -> None:
    metrics = json.loads((made.reports / "metrics.json").read_text())
    for row in pd.read_csv(made.reports / "table1.csv").to_dict("records"):
        found = metrics[row["dataset"]][row["method"]]
        if isinstance(row["not_run"], str):
            assert found == {"not_run": row["not_run"]}
        else:
            assert found["dtw_ssid"] == row["dtw_ssid"]
            assert found["trials"] == 2


def test_diagnostics_have_a_row_per_dataset_and_method(made: Paths) -> None:
    rows = pd.read_csv(made.reports / "diagnostics.csv").set_index(["dataset", "method"])
    assert rows.loc[("rotated_mnist", "oracle"), "heading_angle"] > 0
    assert rows.loc[("rotated_mnist", "oracle"), "diagnosed_tangent_angle"] > 0
    assert ("clips", "persistence") in rows.index


def without_clips(paths: Paths, params: Params = PARAMS) -> dict[str, bytes]:
    """The tables of the same project on a machine that has no clips."""
    write_absence(paths.prepared("clips"), WHY)
    for method in params.methods:
        write_absence(paths.extrapolated("clips", method), WHY)
    for analysis in params.analyses:
        write_absence(paths.analysis("clips", analysis), WHY)
    evaluate("clips", {name: params.method("clips", name) for name in params.methods}, paths)
    table(params, paths)
    return {name: (paths.reports / name).read_bytes() for name in KEPT}


def test_rows_of_a_dataset_that_cannot_be_made_here_are_kept_to_the_byte(
    paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {name: (paths.reports / name).read_bytes() for name in KEPT}
    assert without_clips(paths) == before
    assert f"manex: table: clips: the rows of an earlier run are kept: {WHY}" in capsys.readouterr().err


def test_rows_of_other_settings_are_not_kept(paths: Paths) -> None:
    values = PARAMS.model_dump(mode="json")
    values["extrapolate"]["clips"]["local_pca"]["frames"] = 1
    without_clips(paths, parse(values, "params.yaml"))
    rows = pd.read_csv(paths.reports / "table1.csv")
    clips = rows[rows["dataset"] == "clips"].set_index("method")["not_run"]
    assert clips.to_dict() == {"oracle": "no true manifold is known", "persistence": WHY, "local_pca": WHY}
    assert rows[rows["dataset"] == "rotated_mnist"]["not_run"].isna().all()


@pytest.mark.parametrize("name", ["table1.csv", "denoisers.csv", "metrics.json"])
def test_rows_that_cannot_be_read_are_not_kept_and_that_is_said(
    name: str, paths: Paths, capsys: pytest.CaptureFixture[str]
) -> None:
    (paths.reports / name).write_text("{")
    without_clips(paths)
    assert "manex: table: earlier rows cannot be kept: " in capsys.readouterr().err
    rows = pd.read_csv(paths.reports / "table1.csv")
    assert rows[rows["dataset"] == "clips"]["not_run"].notna().all()


def test_what_was_trained_on_ordered_clips_has_its_own_block(tmp_path: Path) -> None:
    params = load(ROOT / "profiles" / "rivals.yaml")
    paths = Paths(tmp_path, home=params.reports)
    for dataset in params.datasets:
        write_absence(paths.prepared(dataset), "nothing was run")
        for method in params.methods:
            write_absence(paths.extrapolated(dataset, method), "nothing was run")
        for model in params.models:
            write_absence(paths.model(dataset, model), "nothing was run")
        for analysis in params.analyses:
            write_absence(paths.analysis(dataset, analysis), "nothing was run")
        evaluate(dataset, {name: params.method(dataset, name) for name in params.methods}, paths)
    table(params, paths)
    for part in (paths.reports / "table1.md").read_text().split("\n## ")[1:]:
        before, _, supervised = part.partition("### Rivals with more supervision: trained on ordered clips")
        rows = [line.split("|")[1].strip() for line in supervised.splitlines() if "not run" in line]
        assert rows == ["rnn_ode", "mcvd"]
        assert "| ddim_latent |" in before


def test_every_method_is_so_many_times_as_far_as_the_floor(tmp_path: Path) -> None:
    perfect = {"algorithm": "perfect", "frames": 4, "speed": 0.5}
    methods = {"still": {"algorithm": "persistence", "frames": 4}, "best": perfect}
    walker = {"kind": "walker", "people": 2, "frames": 6, "dense": 60, "size": 16, "held_out": 2, "gait": "training"}
    params = parse(
        {
            **{name: [] for name in ("sources", "models", "analyses")},
            "profile": "cpu", "reports": "reports", "datasets": ["walker"], "methods": list(methods), "fetch": {},
            "data": {"walker": walker}, "train": {}, "analyse": {}, "trials": {"seeds": [0]},
            "extrapolate": {"walker": methods},
        },
        "params.yaml",
    )  # fmt: skip
    paths = Paths(tmp_path)
    prepare("walker", params.dataset("walker"), paths)
    for name in methods:
        extrapolate("walker", name, params.method("walker", name), [0], paths)
    evaluate("walker", {name: params.method("walker", name) for name in methods}, paths)
    table(params, paths)
    rows = pd.read_csv(paths.reports / "table1.csv").set_index("method")
    assert rows.loc["best", "floors"] == 1
    ratio = rows.loc["still", "dtw_ssid"] / rows.loc["best", "dtw_ssid"]
    assert rows.loc["still", "floors"] == pytest.approx(ratio, rel=1e-4)

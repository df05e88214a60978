"""What the analyses find out about denoisers: closed forms, a plug-in, with and without a known manifold."""

from __future__ import annotations

import json
import math

import pandas as pd
import pytest
from small_project import PARAMS

from pipeline.config.analyses import AnalysisEntry
from pipeline.config.entries import parse_entry
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.stages.analyse import analyse
from pipeline.stages.table import table
from pipeline.storage.artifacts import read_tensors
from pipeline.storage.results import load_analysis, not_analysed
from pipeline.storage.skipped import write_absence

GEOMETRY = ["tangent_angle", "retention", "effective_dimension"]


def denoisers(paths: Paths, dataset: str = "rotated_mnist") -> pd.DataFrame:
    """The rows of reports/denoisers.csv, by denoiser."""
    rows = pd.read_csv(paths.reports / "denoisers.csv")
    return rows[rows["dataset"] == dataset].set_index("denoiser")


def test_every_walk_of_the_analysis_is_a_row_of_the_table_of_denoisers(made: Paths) -> None:
    rows = denoisers(made)
    assert list(rows.index) == ["oracle", "tikhonov", "shrink.py:shrink", "flow_none"]
    assert rows.loc["flow_none", "not_run"] == "the walk is skipped on this dataset"
    text = (made.reports / "denoisers.md").read_text()
    for line in (
        "| oracle | 25 |",
        "| tikhonov | 25 |",
        "| shrink.py:shrink | 25 |",
        "| flow_none | not run: the walk",
    ):
        assert f"\n{line}" in text


def test_a_denoiser_that_knows_the_manifold_differs_from_one_that_does_not(made: Paths) -> None:
    """The manifold is a curve: one dimension and its curvature, within the noise."""
    rows = denoisers(made)
    assert rows.loc["oracle", "tangent_angle"] < 25 < rows.loc["tikhonov", "tangent_angle"]
    assert rows.loc["oracle", "effective_dimension"] < 5 < rows.loc["tikhonov", "effective_dimension"]
    assert (rows.loc[["oracle", "tikhonov"], "asymmetry"] < 1e-3).all()
    numbers = rows.loc[["oracle", "tikhonov"], ["psnr", "psnr_videos", "dtw_ssid", "retention"]]
    assert all(math.isfinite(value) for value in numbers.to_numpy().flatten())


def test_a_denoiser_of_these_digits_differs_from_one_of_all(made: Paths) -> None:
    """The frames held out are of other digits, which the true manifold of the videos does not contain."""
    rows = denoisers(made)
    assert rows.loc["oracle", "psnr_videos"] > rows.loc["oracle", "psnr"] + 10
    assert abs(rows.loc["tikhonov", "psnr_videos"] - rows.loc["tikhonov", "psnr"]) < 3


def test_a_plug_in_is_analysed_as_far_as_its_jacobian_goes(made: Paths) -> None:
    """J = 0.9 I and a little of the mean: it keeps 0.9 of any direction without mean, and there is no J^T v."""
    row = denoisers(made).loc["shrink.py:shrink"]
    assert row["retention"] == pytest.approx(0.9, abs=0.05)
    assert row["effective_dimension"] == pytest.approx(0.9 * 400 + 0.1, rel=0.15)
    assert math.isnan(row["asymmetry"])


def test_the_scores_of_both_tables_agree(made: Paths) -> None:
    table_1 = pd.read_csv(made.reports / "table1.csv")
    table_1 = table_1[table_1["dataset"] == "rotated_mnist"].set_index("method")
    found = denoisers(made).set_index("method")
    assert found.loc["oracle", "dtw_ssid"] == pytest.approx(table_1.loc["oracle", "dtw_ssid"], abs=1e-6)


def test_where_no_manifold_is_known_there_is_psnr_and_no_geometry(made: Paths) -> None:
    rows = denoisers(made, "clips")
    assert rows.loc["oracle", "not_run"] == "the walk is skipped on this dataset"
    found = rows.loc[["tikhonov", "shrink.py:shrink"]]
    assert found["psnr"].notna().all()
    assert found[GEOMETRY].isna().all(axis=None)


@pytest.mark.parametrize("dataset", PARAMS.datasets)
def test_the_spectrum_has_the_eigenpairs_of_each_denoiser(dataset: str, made: Paths) -> None:
    rows = load_analysis(dataset, "spectrum", "eigenvalues", made)
    assert rows is not None
    assert list(dict.fromkeys(rows["walk"])) == ["flow_plug_in", "flow_tikhonov"]
    assert rows.groupby(["walk", "frame"]).size().eq(3).all()
    assert rows["k"].tolist() == [1, 2, 3] * (len(rows) // 3)
    plug_in = rows[rows["walk"] == "flow_plug_in"]
    first = plug_in[plug_in["k"] == 1]["eigenvalue"]
    assert first.to_numpy() == pytest.approx(1, abs=0.02)  # the constant image; all others are 0.9
    tensors = read_tensors(made.analysis(dataset, "spectrum") / "pictures.safetensors", "")
    assert len(tensors["frames"]) == len(tensors["values"]) == len(tensors["vectors"]) == 2


def test_the_record_has_the_metrics_and_the_files(made: Paths) -> None:
    record = json.loads(made.record("analyse", "rotated_mnist-geometry").read_text())
    assert record["metrics"]["denoisers/psnr"] > 0
    assert record["files"] == ["data/analyses/rotated_mnist/geometry/denoisers.csv"]


def entry(**values: object) -> AnalysisEntry:
    found = parse_entry(AnalysisEntry, values, "analyse.rotated_mnist.x")
    assert isinstance(found, AnalysisEntry)
    return found


def test_a_walk_whose_model_is_not_trained_is_left_out_with_the_reason(paths: Paths) -> None:
    walks = PARAMS.methods_of("rotated_mnist")
    walks["unet"] = walks["oracle"].replaced({"denoiser": "unet"})
    write_absence(paths.model("rotated_mnist", "unet"), "too slow here")
    analyse("rotated_mnist", "geometry", entry(kind="geometry", walks=["unet"]), walks, paths)
    assert not_analysed("rotated_mnist", "geometry", paths) == {"unet": "model unet is not trained: too slow here"}
    assert load_analysis("rotated_mnist", "geometry", "denoisers", paths) is None
    table(PARAMS, paths)
    assert denoisers(paths)["not_run"].to_dict() == {"unet": "model unet is not trained: too slow here"}


def test_denoisers_are_analysed_by_their_names(paths: Paths) -> None:
    card = entry(kind="card", denoisers=["memoriser", "tikhonov"], walks=["flow_tikhonov"], sigma_255=[25], images=2)
    analyse("clips", "card", card, PARAMS.methods_of("clips"), paths)
    rows = load_analysis("clips", "card", "card", paths)
    assert rows is not None
    assert rows["denoiser"].tolist() == ["tikhonov", "memoriser", "tikhonov"]
    assert rows.drop(columns=["note", "monotone"]).iloc[0].equals(rows.drop(columns=["note", "monotone"]).iloc[2])


def test_a_denoiser_that_is_skipped_is_left_out_and_one_that_is_missing_is_named_with_its_command(paths: Paths) -> None:
    card = entry(kind="card", denoisers=["unet", "halves/n1_a"], sigma_255=[25])
    write_absence(paths.model("rotated_mnist", "unet"), "too slow here")
    with pytest.raises(UserError, match=r"halves/n1_a.*not found; make it with: manex train rotated_mnist halves$"):
        analyse("rotated_mnist", "card", card, {}, paths)
    write_absence(paths.model("rotated_mnist", "halves"), "no time")
    analyse("rotated_mnist", "card", card, {}, paths)
    assert not_analysed("rotated_mnist", "card", paths) == {
        "unet": "model unet is not trained: too slow here",
        "halves/n1_a": "model halves/n1_a is not trained: no time",
    }


def test_a_walk_without_a_denoiser_cannot_be_analysed(paths: Paths) -> None:
    walks = PARAMS.methods_of("rotated_mnist")
    with pytest.raises(UserError, match=r"analyse\.rotated_mnist.*persistence does not walk with a denoiser"):
        analyse("rotated_mnist", "x", entry(kind="geometry", walks=["persistence"]), walks, paths)

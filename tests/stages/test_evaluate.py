"""The tables of one dataset: scores of every trial and video, what the walks recorded, what their denoisers keep."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.stats import spearmanr
from small_project import METHODS, PARAMS
from tiny import DATASET
from tiny import PARAMS as TINY
from typer.testing import CliRunner

from manex.denoisers.base import Denoiser
from manex.metrics.dtw import dtw_ssid
from manex.metrics.residual import Residual
from manex.metrics.ssim import ssim_distances
from pipeline.cli.app import app
from pipeline.errors import UserError
from pipeline.models.load import load_named
from pipeline.paths import Paths
from pipeline.stages.evaluate import evaluate
from pipeline.storage.artifacts import read_tensors, seal, write_tensors
from pipeline.storage.prepared import load_prepared
from pipeline.storage.results import SCORES, load_results
from pipeline.storage.trials import load_trials

pytestmark = pytest.mark.filterwarnings("ignore:no J.T v from a black box")
RUN = [name for name, entry in METHODS.items() if entry["algorithm"] != "skipped"]
VIDEOS, TRIALS, FRAMES = 2, 2, 8


def again(paths: Paths, dataset: str = "rotated_mnist") -> None:
    evaluate(dataset, {name: PARAMS.method(dataset, name) for name in PARAMS.methods}, paths)


def test_every_method_that_was_run_has_a_score_of_every_trial_and_video(made: Paths) -> None:
    found = load_results("rotated_mnist", made)
    assert found.methods == RUN
    assert {"method", *SCORES} <= set(found.scores.columns)
    assert found.scores.groupby("method").size().eq(TRIALS * VIDEOS).all()
    for method in RUN:
        assert found.by_trial(method).shape == (TRIALS, VIDEOS)


def test_the_scores_of_a_video_have_one_row_per_frame_of_the_truth(made: Paths) -> None:
    frames = load_results("rotated_mnist", made).frames
    assert (frames.groupby(["method", "trial", "video"])["frame"].max() >= 3).all()
    assert set(frames["method"]) == set(RUN)


def test_what_was_not_run_has_its_reason_and_no_row(made: Paths) -> None:
    assert load_results("rotated_mnist", made).not_run == {"flow_none": "not wanted"}
    found = load_results("clips", made)
    assert found.not_run == {"flow_none": "not wanted", "oracle": "no true manifold is known"}
    assert not {"flow_none", "oracle"} & set(found.scores["method"])


def test_walks_are_recorded_from_the_first_generated_frame_on(made: Paths) -> None:
    walks = load_results("rotated_mnist", made).walks
    flow = walks[walks["method"] == "oracle"]
    assert sorted(set(flow["frame"])) == [2, 3]
    assert len(flow) == TRIALS * VIDEOS * 2
    assert flow["heading_angle"].between(0, 90).all()


def test_denoisers_are_diagnosed_along_their_walks_where_a_manifold_is_known(made: Paths) -> None:
    diagnoses = load_results("rotated_mnist", made).diagnoses
    assert set(diagnoses["method"]) == {"oracle", "flow_tikhonov", "flow_plug_in"}
    medians = diagnoses.groupby("method")["effective_dimension"].median()
    assert medians["oracle"] < 5 < medians["flow_tikhonov"]
    assert len(load_results("clips", made).diagnoses) == 0


def test_without_a_trained_denoiser_there_is_no_residual(made: Paths) -> None:
    """The methods walk with closed forms and a plug-in."""
    for dataset in PARAMS.datasets:
        assert load_results(dataset, made).frames["residual"].isna().all()


def test_the_first_trained_denoiser_measures_the_first_trial_of_every_method(tiny_project: Path) -> None:
    paths = Paths(tiny_project)
    dataset = load_prepared(DATASET, paths)
    denoiser = load_named(DATASET, "resunet", dataset, paths, "cpu")
    assert isinstance(denoiser, Denoiser)
    residual, found = Residual.of(denoiser, dataset.held_out_frames), load_results(DATASET, paths)
    for method in ("linear", "walked"):
        frames = found.frames[found.frames["method"] == method]
        assert frames[frames["trial"] == 1]["residual"].isna().all()
        own = frames[(frames["trial"] == 0) & frames["residual"].notna()]
        walked = load_trials(DATASET, method, paths).frames[0]
        expected = torch.stack([residual(video) for video in walked]).flatten()
        torch.testing.assert_close(torch.tensor(own["residual"].to_numpy()), expected.double(), rtol=1e-4, atol=0)
        assert len(found.residuals([method])) == walked[:, 2:].shape[0] * walked[:, 2:].shape[1]


def test_table_1_has_the_median_residual_and_its_rank_correlation_with_the_true_distance(tiny_project: Path) -> None:
    found = load_results(DATASET, Paths(tiny_project))
    reports = tiny_project / "reports" / "tiny"
    table = pd.read_csv(reports / "table1.csv").set_index("method")
    for method in ("linear", "walked"):
        frames = found.frames[(found.frames["method"] == method) & (found.frames["frame"] >= 2)]
        frames = frames[frames["residual"].notna()]
        assert table.loc[method, "residual"] == pytest.approx(np.median(frames["residual"]), rel=1e-4)
        expected = spearmanr(frames["residual"], frames["manifold_distance"]).statistic
        assert table.loc[method, "residual_spearman"] == pytest.approx(expected, rel=1e-4)
    frames = found.frames[(found.frames["frame"] >= 2) & found.frames["residual"].notna()]
    pooled = json.loads((reports / "metrics.json").read_text())["residual_spearman"][DATASET]
    assert pooled == pytest.approx(spearmanr(frames["residual"], frames["manifold_distance"]).statistic, rel=1e-4)


def test_the_window_of_the_settings_scores_and_one_command_prints_both(
    tiny_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Path(shutil.copytree(tiny_project, tmp_path / "project"))
    monkeypatch.chdir(project)
    truth, scored = load_prepared(DATASET, Paths()).videos, {}
    for window in ("uniform", "gaussian"):
        (project / "params.yaml").write_text(f"ssim_window: {window}\n{TINY}")
        assert CliRunner().invoke(app, ["evaluate", DATASET]).exit_code == 0
        scored[window] = load_results(DATASET, Paths()).by_trial("linear").to_numpy()
        frames = load_trials(DATASET, "linear", Paths()).frames
        for trial, videos in enumerate(frames):
            for video, one in enumerate(videos):
                alone = dtw_ssid(ssim_distances(truth[video], one, window=window))
                assert scored[window][trial, video] == pytest.approx(alone, rel=1e-4)
    assert not np.allclose(*scored.values(), rtol=1e-3)
    printed = CliRunner().invoke(app, ["windows"]).stdout.splitlines()
    assert printed[0] == "| dataset | method | uniform | gaussian |"
    assert printed[2] == f"| {DATASET} | `linear` | {' | '.join(f'{one.mean():.4f}' for one in scored.values())} |"
    assert len(printed) == 4


def test_the_record_of_a_method_has_its_mean_and_its_series(made: Paths) -> None:
    record = json.loads(made.record("evaluate", "rotated_mnist-oracle").read_text())
    by_trial = load_results("rotated_mnist", made).by_trial("oracle")
    assert record["metrics"]["dtw_ssid"] == pytest.approx(by_trial.to_numpy().mean(), rel=1e-5)
    trials = {step: numbers for step, numbers in record["series"] if "trial/dtw_ssid" in numbers}
    assert set(trials) == {0, 1}
    assert record["metrics"]["extrapolate/seconds"] > 0
    assert (record["dataset"], record["model"]) == ("rotated_mnist", "oracle")
    assert not made.record("evaluate", "rotated_mnist-flow_none").exists()


def test_scoring_again_gives_the_same_bytes(paths: Paths) -> None:
    def content() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in paths.scores("rotated_mnist").iterdir()}

    before = content()
    again(paths)
    assert content() == before


def test_walks_of_another_number_of_videos_are_refused_with_the_command(paths: Paths) -> None:
    file = paths.extrapolated("rotated_mnist", "persistence") / "trials.safetensors"
    tensors = read_tensors(file, "")
    write_tensors(file, {**tensors, "frames": tensors["frames"][:, :1]})
    seal(file.parent)
    with pytest.raises(UserError, match=r"1 videos, the dataset 2.*manex extrapolate rotated_mnist persistence"):
        again(paths)


@pytest.mark.parametrize("name", ["scores.csv", "frames.csv", "not_run.json"])
def test_damaged_scores_are_refused_with_the_command(name: str, paths: Paths) -> None:
    file = paths.scores("clips") / name
    file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(UserError, match=r"damaged .*manex evaluate clips"):
        load_results("clips", paths)


def test_a_score_that_is_missing_is_reported(made: Paths) -> None:
    found = load_results("rotated_mnist", made)
    lost = found.scores.drop(index=found.scores[found.scores["method"] == "oracle"].index[0])
    kept = type(found)(**{**vars(found), "scores": pd.DataFrame(lost)})
    with pytest.raises(UserError, match=r"scores\.csv: damaged \(oracle: not a score of every trial and video\)"):
        kept.by_trial("oracle")

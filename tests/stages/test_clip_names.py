"""Which video is which clip: its name is in the scores, the figures, the page and the errors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from manex.datasets.dataset import Dataset
from manex.datasets.videos import clip_videos
from pipeline.config.entries import parse_entry
from pipeline.config.methods import MethodEntry
from pipeline.errors import UserError
from pipeline.figures.videos import videos_figure
from pipeline.paths import Paths
from pipeline.report.columns import TABLE1, line
from pipeline.report.tables import differences
from pipeline.stages.extrapolate import extrapolate
from pipeline.stages.report import _detail
from pipeline.storage.prepared import load_prepared, write_prepared
from pipeline.storage.results import load_results


def test_scores_name_the_clip_where_it_has_a_name(made: Paths) -> None:
    scores = load_results("clips", made).scores
    assert set(scores["clip"]) == {"square"}
    assert "clip" not in load_results("rotated_mnist", made).scores


def test_the_page_offers_videos_by_name(made: Paths) -> None:
    results = load_results("clips", made)
    detail = _detail("clips", {name: results.by_trial(name) for name in results.methods}, made)
    assert detail.names == ["0 (square)"]
    digits = load_results("rotated_mnist", made)
    assert _detail("rotated_mnist", {"oracle": digits.by_trial("oracle")}, made).names == ["0", "1"]


def test_a_figure_of_a_clip_has_its_name() -> None:
    import torch

    drawn = videos_figure(torch.zeros(3, 1, 8, 8), {}, title="swing.mp4")
    assert drawn.axes[0].get_title() == "swing.mp4"
    assert videos_figure(torch.zeros(3, 1, 8, 8), {}).axes[0].get_title() == ""


def test_a_walk_that_cannot_start_names_the_clip(tmp_path: Path) -> None:
    moving = np.random.default_rng(0).random((4, 1, 16, 16), np.float32)
    made = clip_videos([moving, np.repeat(moving[:1], 4, 0)], [0, 1], 3, 1, seed=0)
    dataset = Dataset.of(replace(made, names=("good.avi", "still.avi")), held_out=0)
    write_prepared("d", dataset, {"note": "", "protocol": "paper"}, Paths(tmp_path))
    entry = parse_entry(MethodEntry, {"algorithm": "pixel_linear", "frames": 2}, "extrapolate.d.m")
    assert isinstance(entry, MethodEntry)
    with pytest.raises(UserError, match=r"d, m, video 1 \(still\.avi\): its first two frames are identical"):
        extrapolate("d", "m", entry, [0, 1, 2], Paths(tmp_path))


@pytest.mark.parametrize("names", [("a",), ("a", "b", "c")])
def test_names_that_do_not_go_with_the_videos_are_refused(names: tuple[str, ...]) -> None:
    made = clip_videos([np.random.default_rng(0).random((4, 1, 16, 16), np.float32)] * 2, [0, 1], 3, 1, seed=0)
    with pytest.raises(ValueError, match="names for 2 videos"):
        Dataset.of(replace(made, names=names), held_out=0)


def test_a_dataset_without_names_has_none_on_disk_either(made: Paths) -> None:
    assert load_prepared("rotated_mnist", made).names == ()
    assert "clips" not in (made.prepared("rotated_mnist") / "dataset.json").read_text()


def test_one_trial_of_one_video_has_no_interval_and_says_so_without_nan() -> None:
    scores = {"one": np.array([[0.25]]), "other": np.array([[0.5]])}
    for row in differences(scores):
        assert (row.interval, row.verdict) == ("-", "one score")
    row = {column.name: float("nan") for column in TABLE1} | {"dtw_ssid": 0.25, "not_run": None}
    assert "nan" not in line("one", pd.Series(row).to_dict(), TABLE1)

"""Which figures are drawn of which dataset, and where they go."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest
from small_project import PARAMS

from pipeline.config.params import parse
from pipeline.paths import Paths
from pipeline.stages.figures import figures
from pipeline.storage.artifacts import write_csv
from pipeline.storage.skipped import write_absence

pytestmark = pytest.mark.slow


def test_figures_of_private_clips_stay_out_of_git_and_psnr_is_drawn_per_dataset(paths: Paths) -> None:
    params = parse({**PARAMS.model_dump(mode="json"), "models": ["resunet", "vae", "unet"]}, "params.yaml")
    for dataset in params.datasets:
        history = pd.DataFrame({"step": [1, 2], "psnr_train_25": [20.0, 25.0], "psnr_held_out_25": [20.0, 22.0]})
        write_csv(paths.model(dataset, "resunet") / "history.csv", history)
        write_csv(paths.model(dataset, "vae") / "history.csv", pd.DataFrame({"step": [1, 2], "loss": [2.0, 1.0]}))
        write_absence(paths.model(dataset, "unet"), "too slow here")
    figures(params, paths)
    drawn = {path.name for path in paths.figures.iterdir()}
    kinds = ("videos", "paths", "alignment", "spectrum", "symmetry", "levels", "psnr")
    names = {"walk", "comparison", *(f"rotated_mnist_{kind}" for kind in kinds)}
    assert drawn == {f"{name}.{kind}" for name in names for kind in ("png", "svg")}
    private = {path.stem for path in paths.private.iterdir()}
    assert private == {
        "clips",
        "clips_videos",
        "clips_alignment",
        "clips_spectrum",
        "clips_symmetry",
        "clips_levels",
        "clips_psnr",
    }
    assert {path.name for path in paths.pictures.iterdir()} == {"rotated_mnist.gif"}


def test_datasets_with_different_numbers_of_training_digits_have_a_figure_together(paths: Paths) -> None:
    """The second one is a copy of the first; only its name and its settings differ."""
    values = PARAMS.model_dump(mode="json")
    few, more = "rotated_mnist", "rotated_more"
    for part in ("data", "extrapolate", "analyse"):
        values[part] = {few: values[part][few], more: values[part][few]}
    values["data"][more] = {**values["data"][more], "train_digits": 5}
    for folder in (
        paths.prepared,
        paths.scores,
        lambda name: paths.analysis(name, ""),
        lambda name: paths.extrapolated(name, ""),
    ):
        shutil.copytree(folder(few), folder(more))
    table = pd.read_csv(paths.reports / "table1.csv")
    own = table[table["dataset"] == few]
    write_csv(paths.reports / "table1.csv", pd.concat([own, own.assign(dataset=more)]))
    figures(parse({**values, "datasets": [few, more]}, "params.yaml"), paths)
    assert {"generalisation.png", "generalisation.svg"} <= {path.name for path in paths.figures.iterdir()}

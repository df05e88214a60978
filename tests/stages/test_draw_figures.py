"""Which figures are drawn of which dataset, and where they go."""

from __future__ import annotations

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

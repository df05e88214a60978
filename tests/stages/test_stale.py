"""Stages called by hand: what was made from other clips, data or models than are here is never scored."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_project import PARAMS

from pipeline.config.analyses import AnalysisEntry
from pipeline.config.methods import MethodEntry
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.stages.analyse import analyse
from pipeline.stages.evaluate import evaluate
from pipeline.stages.extrapolate import extrapolate
from pipeline.stages.prepare import prepare
from pipeline.stages.table import table
from pipeline.storage.artifacts import replacing_folder, write_json
from pipeline.storage.origins import check_origins, origins
from pipeline.storage.results import load_analysis
from pipeline.storage.trials import load_trials

pytestmark = pytest.mark.filterwarnings("ignore:no J.T v from a black box")


def replace_clip(paths: Paths) -> None:
    """Another motion in the place of the first."""
    for index, file in enumerate(sorted((paths.root / "data" / "raw" / "mine" / "square").iterdir())):
        picture = np.full((24, 24), 70, np.uint8)
        picture[2 + index : 8 + index, 4:14] = 200
        Image.fromarray(picture).save(file)


def score(paths: Paths) -> None:
    evaluate("clips", {name: PARAMS.method("clips", name) for name in PARAMS.methods}, paths)


def test_after_a_clip_is_replaced_every_later_stage_names_the_command_until_all_is_made_again(paths: Paths) -> None:
    replace_clip(paths)
    square = "data/raw/mine/square"
    with pytest.raises(UserError, match=f"prepared/clips: made from another {square} .*: manex prepare clips$"):
        score(paths)
    prepare("clips", PARAMS.dataset("clips"), paths)
    walked = [name for name in PARAMS.methods if isinstance(PARAMS.method("clips", name), MethodEntry)]
    for method in walked:
        wanted = f"{method}: made from another data/prepared/clips .*: manex extrapolate clips {method}$"
        with pytest.raises(UserError, match=wanted):
            score(paths)
        with pytest.raises(UserError, match=r"made from another data/prepared/clips .*: manex extrapolate clips"):
            table(PARAMS, paths)
        entry = PARAMS.method("clips", method)
        assert isinstance(entry, MethodEntry)
        extrapolate("clips", method, entry, PARAMS.trials.seeds, paths)
    with pytest.raises(UserError, match=r"scores/clips: made from another .*: manex evaluate clips$"):
        table(PARAMS, paths)
    score(paths)
    with pytest.raises(
        UserError, match=r"analyses/clips/geometry: made from another .*: manex analyse clips geometry$"
    ):
        table(PARAMS, paths)
    for name in PARAMS.analyses:
        entry = PARAMS.analysis("clips", name)
        assert isinstance(entry, AnalysisEntry)
        analyse("clips", name, entry, PARAMS.methods_of("clips"), paths)
    table(PARAMS, paths)


def test_files_that_are_not_used_make_nothing_stale(paths: Paths) -> None:
    (paths.root / "data" / "raw" / "mine" / "square" / "notes.txt").write_text("seen")
    (paths.root / "data" / "raw" / "mine" / ".DS_Store").touch()
    before = (paths.prepared("clips") / "sha256.json").read_bytes()
    prepare("clips", PARAMS.dataset("clips"), paths)
    assert (paths.prepared("clips") / "sha256.json").read_bytes() == before
    score(paths)
    load_analysis("clips", "geometry", "geometry", paths)


def test_walks_with_a_plug_in_whose_code_has_changed_are_refused(paths: Paths) -> None:
    file = paths.plug_ins / "shrink.py"
    score(paths)
    file.write_text(file.read_text().replace("0.9", "0.8"))
    wanted = r"flow_plug_in: made from another data/own/shrink\.py .*: manex extrapolate clips flow_plug_in$"
    with pytest.raises(UserError, match=wanted):
        score(paths)


def chain(root: Path) -> tuple[Paths, Path, Path]:
    """A dataset, a model of it, and a walk of both."""
    paths = Paths(root)
    write(paths.prepared("d"), 1)
    write(paths.model("d", "m"), 1, origins(paths, paths.prepared("d")))
    write(paths.extrapolated("d", "w"), 1, origins(paths, paths.prepared("d"), paths.model("d", "m")))
    return paths, paths.model("d", "m"), paths.extrapolated("d", "w")


def write(folder: Path, number: int, made_from: object = None) -> None:
    with replacing_folder(folder, sealed=True, made_from=made_from) as temporary:
        write_json(temporary / "number.json", {"number": number})


def test_a_walk_with_another_model_is_refused(tmp_path: Path) -> None:
    paths, model, walk = chain(tmp_path)
    check_origins(paths, walk)
    write(model, 2, origins(paths, paths.prepared("d")))
    with pytest.raises(UserError, match=r"extrapolated/d/w: made from another models/d/m .*: manex extrapolate d w$"):
        load_trials("d", "w", paths)


def test_the_first_stage_to_call_is_named_first(tmp_path: Path) -> None:
    paths, _, walk = chain(tmp_path)
    write(paths.prepared("d"), 2)
    with pytest.raises(UserError, match=r"models/d/m: made from another data/prepared/d .*: manex train d m$"):
        check_origins(paths, walk)


def test_origins_that_are_gone_or_of_an_earlier_version_are_no_reason_to_refuse(tmp_path: Path) -> None:
    paths, model, walk = chain(tmp_path)
    (model / "sha256.json").unlink()
    check_origins(paths, walk)
    write(walk, 1)
    write(paths.prepared("d"), 2)
    check_origins(paths, walk)


def test_the_same_made_again_is_not_stale(tmp_path: Path) -> None:
    paths, model, walk = chain(tmp_path)
    write(paths.prepared("d"), 1)
    write(model, 1, origins(paths, paths.prepared("d")))
    check_origins(paths, walk)


def test_members_of_a_family_are_named_by_the_training(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    write(paths.prepared("d"), 1)
    write(paths.model("d", "f/half"), 1, origins(paths, paths.prepared("d")))
    write(paths.prepared("d"), 2)
    with pytest.raises(UserError, match=r"models/d/f/half: .*: manex train d f$"):
        check_origins(paths, paths.model("d", "f/half"))

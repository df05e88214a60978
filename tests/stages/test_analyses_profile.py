"""The profile `analyses` in small: its networks are trained for four steps, analysed, judged and drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from ruamel.yaml import YAML

from pipeline.config.analyses import AnalysisEntry
from pipeline.config.params import Params, parse_whole
from pipeline.config.training import TrainingEntry
from pipeline.findings import verdict
from pipeline.paths import Paths
from pipeline.stages.analyse import analyse
from pipeline.stages.evaluate import evaluate
from pipeline.stages.figures import figures
from pipeline.stages.findings import findings
from pipeline.stages.prepare import prepare
from pipeline.stages.table import table
from pipeline.stages.train import train
from pipeline.storage import skipped
from pipeline.storage.artifacts import read_csv, write_tensors

PROFILE = Path(__file__).parents[2] / "profiles" / "analyses.yaml"
MEMBERS = {"n1": 1, "n10": 10, "n30": 11, "n100": 12}
"""Networks that are kept, and how many digits they are trained on here."""
PARTS = (("a", "first"), ("b", "second"))


def small() -> Params:
    """Thirty digits, of which six are held out, and the smallest networks; there are no networks of 1,000 digits."""
    values: dict[str, Any] = YAML(typ="safe", pure=True).load(PROFILE.read_text())
    tiny = {"width": 2, "steps": 4, "batch": 4, "record_every": 4, "bfloat16": False}
    values["data"]["digits"] |= {"train_digits": 30, "held_out": 6}
    values["models"], values["analyses"] = ["unet", "halves"], ["curve", "twins", "shuffling"]
    networks = values["train"]["digits"]
    networks["unet"] |= tiny
    networks["halves"]["base"] |= tiny
    every = networks["halves"]["members"]
    kept = {name: subset for name, subset in every.items() if name.partition("_")[0] in {*MEMBERS, "shuffled"}}
    for name, subset in kept.items():
        subset |= {"count": MEMBERS.get(name.partition("_")[0], 0)} | ({"steps": 6} if "steps" in subset else {})
    networks["halves"]["members"] = kept
    entries = values["analyse"]["digits"]
    for entry in entries.values():
        names = entry.get("denoisers", [])
        entry["denoisers"] = [one for one in names if "/" not in one or one.partition("/")[2] in kept]
    entries["curve"] |= {"sigma_255": [25, 100], "images": 6}
    entries["twins"] |= {"betas": [1], "samples": 3, "shown": 2, "images": 3, "points": 1, "rank": 2}
    entries["shuffling"] |= {"images": 4, "points": 1, "vectors": 5}
    return parse_whole(values, "params.yaml")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Paths:
    params = small()
    paths = Paths(tmp_path_factory.mktemp("analyses"), params.reports)
    pixels = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (31, 28, 28)).astype(np.uint8))
    paths.raw("mnist").mkdir(parents=True)
    write_tensors(paths.raw("mnist") / "digits.safetensors", {"images": pixels[:1], "others": pixels[1:]})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MANEX_TRACKING", "off")
        patch.setattr(verdict, "RESAMPLES", 5)
        prepare("digits", params.dataset("digits"), paths)
        for model in params.models:
            training = params.training("digits", model)
            assert isinstance(training, TrainingEntry)
            train("digits", model, training, paths)
        for name in params.analyses:
            entry = params.analysis("digits", name)
            assert isinstance(entry, AnalysisEntry)
            analyse("digits", name, entry, {}, paths)
        walks = {name: params.method("digits", name) for name in params.methods}
        for name, walk in walks.items():
            assert not skipped.extrapolation(paths, "digits", name, "").runs(walk)
        evaluate("digits", walks, paths)
        findings(params, paths)
        table(params, paths)
        figures(params, paths)
    torch.use_deterministic_algorithms(False)
    return paths


def verdicts(paths: Paths) -> pd.DataFrame:
    return read_csv(paths.reports / "findings.csv", "").set_index("id")


@pytest.mark.slow
def test_each_network_is_asked_on_the_frames_it_was_trained_on(made: Paths) -> None:
    rows = read_csv(made.analysis("digits", "curve") / "curve.csv", "").drop_duplicates("denoiser")
    known = {row.denoiser: (row.n, row.part) for row in rows.itertuples()}
    halves = {f"halves/{n}_{half}": (k, part) for n, k in MEMBERS.items() for half, part in PARTS}
    assert known == {**halves, "unet": (24, "all"), "halves/n100_long_a": (12, "first")}


@pytest.mark.slow
def test_every_pair_of_halves_draws_samples_next_to_its_memorisers(made: Paths) -> None:
    rows = read_csv(made.analysis("digits", "twins") / "twins.csv", "")
    assert rows.groupby(["denoiser", "n"]).size().to_dict() == {
        **{(f"halves/{name}_a", n): 3 for name, n in MEMBERS.items()},
        **{("memoriser", n): 3 for n in MEMBERS.values()},
    }


@pytest.mark.slow
def test_what_holds_for_exact_denoisers_holds_and_what_has_no_network_is_not_run(made: Paths) -> None:
    found = verdicts(made)
    assert found.loc[["24.7", "14.9"], "verdict"].tolist() == ["holds", "holds"]
    missing = found.loc[["24.1b", "24.2", "24.4a", "24.6a"]]
    assert (missing["verdict"] == "not run").all()
    assert missing["not_run"].notna().all()
    judged = found.loc[["24.1a", "24.3a", "24.6b", "24.8", "14.6a", "14.7", "14.8"]]
    assert judged["verdict"].isin(["holds", "fails", "undecided"]).all()
    assert (judged["command"].str.startswith("manex analyse digits ")).all()


@pytest.mark.slow
def test_curve_and_twins_are_drawn(made: Paths) -> None:
    drawn = {path.name for path in made.figures.iterdir()}
    assert {"digits_curve.svg", "digits_curve.png", "digits_twins.svg", "digits_twins.png"} <= drawn

"""Still images: a dataset without videos, which trainings and analyses take and walks pass over."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from manex.analyses.base import Subject
from manex.analyses.geometry import Geometry, geometry
from manex.datasets.base import DatasetSettings
from manex.datasets.dataset import Dataset
from manex.datasets.digits import Images
from manex.datasets.rotation import Rotation, rotation
from manex.datasets.stills import Stills, stills
from manex.denoisers.memoriser import Memoriser
from manex.denoisers.wiener import Wiener
from manex.metrics.psnr import psnr
from manex.training.bf_cnn import BFCNNTraining
from manex.training.loop import Training
from pipeline.config.params import Params, parse
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.stages.analyse import analyse
from pipeline.stages.evaluate import evaluate
from pipeline.stages.figures import figures
from pipeline.stages.prepare import prepare
from pipeline.stages.table import table
from pipeline.storage import skipped
from pipeline.storage.artifacts import read_csv, write_tensors
from pipeline.storage.prepared import load_prepared
from pipeline.storage.results import load_results
from pipeline.storage.skipped import absence
from pipeline.sweeps.grid import parse_grid
from pipeline.sweeps.plan import Plan

REASON = "still images: no videos to continue"


@pytest.fixture(autouse=True)
def _torch_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MANEX_TRACKING", "off")
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture(scope="module")
def raw() -> Images:
    pixels = np.random.default_rng(0).integers(0, 256, (15, 28, 28)).astype(np.uint8)
    return Images(videos=pixels[:3], others=pixels[3:])


def made(raw: Images, held_out: int = 4, count: int = 12) -> Dataset:
    return Dataset.of(stills(Stills(train_digits=count), raw), held_out)


def test_every_frame_is_the_centre_of_a_digit_that_is_in_no_video(raw: Images) -> None:
    dataset = made(raw, count=10)
    assert dataset.frames.shape == (10, 1, 20, 20)
    np.testing.assert_allclose(dataset.frames[:, 0].numpy(), raw.others[:10, 4:24, 4:24] / 255, atol=1e-7)
    assert dataset.videos.shape == (0, 3, 1, 20, 20)
    assert not dataset.manifolds
    assert dataset.coordinates is None


def test_a_still_is_what_a_video_of_the_digit_begins_with(raw: Images) -> None:
    turned = rotation(Rotation(frames=4, dense=10), Images(raw.others, raw.videos)).videos[:, 0]
    np.testing.assert_allclose(stills(Stills(train_digits=12), raw).frames, turned, atol=1e-6)


def test_each_still_is_a_clip_of_its_own(raw: Images) -> None:
    dataset = made(raw)
    rows, present = dataset.order
    assert rows.shape == present.shape == (12, 1)
    assert len(dataset.training_frames) == 8
    assert torch.equal(
        dataset.training_clip, torch.tensor([n for n in range(12) if n not in dataset.held_out.tolist()])
    )


def test_more_digits_than_were_fetched_is_an_error(raw: Images) -> None:
    with pytest.raises(ValueError, match=r"train_digits: 13 of 12 digits; raise fetch.mnist.others"):
        stills(Stills(train_digits=13), raw)


def test_nothing_held_out_is_no_number() -> None:
    denoiser = Wiener(torch.rand(5, 1, 4, 4))
    assert math.isnan(psnr(denoiser, torch.empty(0, 1, 4, 4), 0.1))


@pytest.mark.parametrize("held_out", [0, 4])
def test_denoisers_of_stills_are_trained_and_analysed(held_out: int, raw: Images) -> None:
    dataset = made(raw, held_out)
    cfg = BFCNNTraining(width=4, depth=2, steps=2, batch=4, record_every=1, learning_rate=0.02)
    records = list(Training.begin(cfg, dataset.training_frames, dataset.held_out_frames, dataset.order).run())
    assert all(math.isfinite(score) for record in records for score in record.scores.values())
    assert ("psnr_held_out_25" in records[0].scores) == bool(held_out)
    subject = Subject("walk", "memoriser", Memoriser.of(dataset), 0.1)
    (rows,) = geometry([subject], dataset, Geometry())
    (row,) = (dict(zip(rows.columns, values, strict=True)) for values in zip(*rows.columns.values(), strict=True))
    assert math.isfinite(row["psnr"]) == bool(held_out)
    assert math.isnan(row["psnr_videos"])
    assert math.isnan(row["tangent_angle"])


def params(held_out: int = 4) -> Params:
    walk = {"algorithm": "tangent_flow", "frames": 2, "sigma_255": 25, "denoiser": "wiener"}
    return parse(
        {
            "profile": "tiny",
            "reports": "reports/tiny",
            "datasets": ["digits"],
            "models": [],
            "methods": ["walk", "none"],
            "analyses": ["geometry", "spectrum"],
            "trials": {"seeds": [0]},
            "data": {"digits": {"kind": "stills", "train_digits": 12, "held_out": held_out}},
            "train": {"digits": {}},
            "extrapolate": {"digits": {"walk": walk, "none": {"algorithm": "skipped", "reason": "no"}}},
            "analyse": {
                "digits": {
                    "geometry": {"kind": "geometry", "walks": ["walk"]},
                    "spectrum": {"kind": "spectrum", "walks": ["walk"]},
                }
            },
        },
        "params.yaml",
    )


def prepared(raw: Images, tmp_path: Path, known: Params) -> Paths:
    paths = Paths(tmp_path, "reports/tiny")
    tensors = {"images": torch.from_numpy(raw.videos), "others": torch.from_numpy(raw.others)}
    paths.raw("mnist").mkdir(parents=True)
    write_tensors(paths.raw("mnist") / "digits.safetensors", tensors)
    prepare("digits", known.dataset("digits"), paths)
    return paths


@pytest.mark.parametrize("held_out", [0, 4])
def test_all_stages_pass_over_what_needs_videos(held_out: int, raw: Images, tmp_path: Path) -> None:
    known = params(held_out)
    paths = prepared(raw, tmp_path, known)
    assert load_prepared("digits", paths).videos.shape == (0, 3, 1, 20, 20)
    for method in known.methods:
        entry = known.method("digits", method)
        assert not skipped.extrapolation(paths, "digits", method, "wiener").runs(entry)
    assert absence(paths.extrapolated("digits", "walk")) == REASON
    evaluate("digits", {name: known.method("digits", name) for name in known.methods}, paths)
    assert load_results("digits", paths).not_run == {"walk": REASON, "none": "no"}
    for analysis in known.analyses:
        entry: Any = known.analysis("digits", analysis)
        if skipped.analysis(paths, "digits", analysis, entry.settings.on_videos).runs(entry):
            analyse("digits", analysis, entry, known.methods_of("digits"), paths)
    assert absence(paths.analysis("digits", "spectrum")) == REASON
    table(known, paths)
    figures(known, paths)
    rows = read_csv(paths.reports / "table1.csv", "")
    assert rows["not_run"].tolist() == [REASON, "no"]
    (denoiser,) = read_csv(paths.reports / "denoisers.csv", "").to_dict("records")
    assert denoiser["denoiser"] == "wiener"
    assert math.isfinite(denoiser["psnr"]) == bool(held_out)
    line = next(line for line in (paths.reports / "denoisers.md").read_text().splitlines() if "wiener" in line)
    assert [cell.strip() for cell in line.split("|")][3:6] == [f"{denoiser['psnr']:.1f}" if held_out else "-", "-", "-"]


def test_a_sweep_has_nothing_to_do_on_stills(raw: Images, tmp_path: Path) -> None:
    known = params()
    paths = prepared(raw, tmp_path, known)
    grid = parse_grid({"datasets": ["digits"], "methods": {"walk": {"sigma_255": [15, 25]}}, "seeds": [0]}, "grid")
    plan = Plan(grid, known, paths, "grid")
    assert {cell.not_run for cell in plan.cells} == {REASON}


def test_datasets_with_videos_say_nothing_of_stills(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    assert skipped.no_videos(paths, "walker") is None
    known = parse(
        {
            **params().model_dump(),
            "data": {"walker": {"kind": "walker", "size": 16, "people": 1, "frames": 5, "dense": 10, "held_out": 0}},
        },
        "params.yaml",
    )
    prepare("walker", known.dataset("walker"), paths)
    assert skipped.no_videos(paths, "walker") is None
    assert "stills" not in (paths.prepared("walker") / "dataset.json").read_text()


def test_stills_are_a_kind_of_dataset() -> None:
    settings = params().dataset("digits").settings
    assert isinstance(settings, DatasetSettings)
    assert (settings.source, settings.private) == ("mnist", False)
    with pytest.raises(UserError, match="frames: unknown"):
        parse({**params().model_dump(), "data": {"digits": {"kind": "stills", "frames": 3}}}, "x").dataset("digits")

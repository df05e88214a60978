"""Clips as datasets: generated ones with known answers, and the real Weizmann files where MANEX_MIRROR has them."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import torch
from movies import moving_square, write_masks, write_mirror

from manex.datasets.weizmann_names import Action
from pipeline.config.data import DatasetEntry
from pipeline.config.entries import parse_entry
from pipeline.config.fetch import Fetch, WeizmannFiles
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.sources import weizmann_files
from pipeline.sources.weizmann import _video as read_video
from pipeline.stages.fetch import fetch
from pipeline.stages.prepare import prepare
from pipeline.storage.prepared import load_prepared
from pipeline.storage.skipped import absence

REAL = Path(os.environ.get("MANEX_MIRROR", "nowhere")) / "weizmann"
real = pytest.mark.skipif(not REAL.is_dir(), reason="MANEX_MIRROR is not set, or holds no weizmann/")
CFG = {"kind": "weizmann", "action": "jack", "size": 16, "held_out": 20}


def entry(**values: object) -> DatasetEntry:
    found = parse_entry(DatasetEntry, values, "data.weizmann")
    assert isinstance(found, DatasetEntry)
    return found


@pytest.fixture(autouse=True)
def _no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("MANEX_MIRROR", str(tmp_path / "mirror"))
    dead = weizmann_files.Site("http://127.0.0.1:9/", tmp_path / "cache", retries=0)
    monkeypatch.setattr("pipeline.stages.fetch.Site", lambda: dead)


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(tmp_path / "project")


def fetched(paths: Paths, tmp_path: Path, kind: str) -> Paths:
    write_mirror(tmp_path / "mirror", "jack", frames=30, kind=kind)
    fetch("weizmann", Fetch(weizmann=WeizmannFiles(actions=("jack",))), paths)
    return paths


def vouch(paths: Paths) -> None:
    """Make what was changed by hand pass for what was fetched."""
    path = paths.raw("weizmann") / "source.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "files": {}}))


def made(paths: Paths, **changes: object) -> tuple[torch.Tensor, str]:
    """The videos of a weizmann dataset, and what is told of them."""
    prepare("weizmann", entry(**{**CFG, **changes}), paths)
    frames = load_prepared("weizmann", paths)
    return frames.videos, json.loads((paths.prepared("weizmann") / "dataset.json").read_text())["note"]


def test_a_crop_follows_the_person(paths: Paths, tmp_path: Path) -> None:
    """The square moves one pixel per frame; in the crop it stays in the middle, as large as the margin leaves it."""
    videos, told = made(fetched(paths, tmp_path, "avi"), colour="rgb")
    assert videos.shape == (9, 5, 3, 16, 16)
    assert told == "action jack, 9 people: original videos, cropped around the person; 270 frames of 9 clips"
    square = torch.tensor([200, 50, 30]).reshape(3, 1, 1) / 255
    torch.testing.assert_close(videos[..., 3:13, 3:13], square.expand(9, 5, 3, 10, 10), rtol=0, atol=0.05)
    assert videos[..., 0, :].max() < 0.45  # the noise around it


def test_grey_frames_have_the_luminance_of_the_colour(paths: Paths, tmp_path: Path) -> None:
    grey, _ = made(fetched(paths, tmp_path, "avi"))
    rgb, _ = made(paths, colour="rgb")
    expected = (rgb * torch.tensor([0.2125, 0.7154, 0.0721]).reshape(3, 1, 1)).sum(2, keepdim=True)
    torch.testing.assert_close(grey, expected, rtol=0, atol=1e-6)


def test_without_masks_the_central_square_is_taken_and_told(paths: Paths, tmp_path: Path) -> None:
    fetched(paths, tmp_path, "avi")
    (paths.raw("weizmann") / "classification_masks.mat").unlink()
    vouch(paths)
    videos, told = made(paths, size=24)
    assert "central square (no masks to crop by)" in told
    clip = torch.from_numpy(moving_square(30)[:, :, 8:32] @ np.array([0.2125, 0.7154, 0.0721]) / 255).float()
    for video in videos[:, :, 0]:
        assert any(torch.allclose(video, clip[start : start + 5], atol=1e-5) for start in range(26))


def test_strips_are_averaged_down_to_the_size(paths: Paths, tmp_path: Path) -> None:
    videos, told = made(fetched(paths, tmp_path, "strips"), colour="rgb", size=32)
    assert "64x64 crops that follow the person" in told
    blocks = torch.from_numpy(moving_square(30, 64, 64) / 255).reshape(30, 32, 2, 32, 2, 3).mean((2, 4))
    clip = blocks.permute(0, 3, 1, 2).float()
    assert any(torch.allclose(videos[0], clip[start : start + 5], atol=1e-6) for start in range(26))


def test_silhouettes_are_told_as_what_they_are(paths: Paths, tmp_path: Path) -> None:
    (tmp_path / "mirror" / "weizmann").mkdir(parents=True)
    names = [f"{person}_jack" for person in ("ido", "eli")]
    write_masks(tmp_path / "mirror" / "weizmann" / "classification_masks.mat", names, 30)
    fetch("weizmann", Fetch(weizmann=WeizmannFiles(actions=("jack",))), paths)
    videos, told = made(paths, people=("ido", "eli"))
    assert "silhouettes, not the videos themselves" in told
    assert float(videos.max()) == pytest.approx(1, abs=0.001)
    with pytest.raises(UserError, match=r"params\.yaml: data\.weizmann\.colour: rgb: only masks are at hand"):
        made(paths, people=("ido", "eli"), colour="rgb")


def test_the_fetch_says_why_it_took_no_better_files(
    paths: Paths, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetched(paths, tmp_path, "strips")
    line = capsys.readouterr().err
    assert line.startswith("manex: fetch weizmann: took 64x64 crops that follow the person, from the mirror, because ")
    assert f"{tmp_path / 'mirror' / 'weizmann' / 'avi'} lacks daria_jack" in line
    assert "http://127.0.0.1:9/ cannot be reached" in line


def test_frames_of_all_clips_are_trained_on_and_the_given_ones_never_held_out(paths: Paths, tmp_path: Path) -> None:
    made(fetched(paths, tmp_path, "avi"), held_out=200)
    frames = load_prepared("weizmann", paths)
    assert (len(frames.training_frames), len(frames.held_out_frames)) == (70, 200)
    assert frames.private
    assert frames.manifolds == ()
    trained = set(map(tuple, frames.training_frames.flatten(1).tolist()))
    assert {tuple(frame) for frame in frames.videos[:, :2].flatten(0, 1).flatten(1).tolist()} <= trained


def test_preparing_again_gives_the_same_bytes(paths: Paths, tmp_path: Path) -> None:
    made(fetched(paths, tmp_path, "avi"))
    before = {path.name: path.read_bytes() for path in paths.prepared("weizmann").iterdir()}
    made(paths)
    assert {path.name: path.read_bytes() for path in paths.prepared("weizmann").iterdir()} == before


def test_a_setting_that_does_not_fit_the_clips_is_told_by_its_field(paths: Paths, tmp_path: Path) -> None:
    fetched(paths, tmp_path, "avi")
    with pytest.raises(UserError, match=r"data\.weizmann\.stride: clip 0 has 30 frames; 5 frames need 41"):
        made(paths, stride=10)
    with pytest.raises(UserError, match=r"params\.yaml: data\.weizmann\.action: no clip of walk by daria, denis"):
        made(paths, action="walk")
    with pytest.raises(UserError, match=r"params\.yaml: data\.weizmann\.held_out: 260 of 270 frames"):
        made(paths, held_out=260)


def test_masks_of_another_size_are_told_with_the_clip(paths: Paths, tmp_path: Path) -> None:
    fetched(paths, tmp_path, "avi")
    names = [path.stem for path in (paths.raw("weizmann") / "avi").iterdir()]
    write_masks(paths.raw("weizmann") / "classification_masks.mat", names, 29)
    vouch(paths)
    with pytest.raises(UserError, match=r"daria_jack: masks of shape \(29, .*for pictures of shape \(30, "):
        made(paths)


@pytest.mark.parametrize("content", [b"", b"MATLAB 5.0 MAT-file" + bytes(200)])
def test_damaged_masks_are_told_with_the_command(content: bytes, paths: Paths, tmp_path: Path) -> None:
    fetched(paths, tmp_path, "avi")
    (paths.raw("weizmann") / "classification_masks.mat").write_bytes(content)
    vouch(paths)
    with pytest.raises(UserError, match=r"masks\.mat: damaged .*manex fetch weizmann"):
        made(paths)


def test_a_bit_that_flips_in_a_clip_is_told_with_the_command(paths: Paths, tmp_path: Path) -> None:
    clip = fetched(paths, tmp_path, "avi").raw("weizmann") / "avi" / "ido_jack.avi"
    content = bytearray(clip.read_bytes())
    content[-9] ^= 1
    clip.write_bytes(content)
    with pytest.raises(UserError, match=r"ido_jack\.avi: damaged \(not the bytes that were fetched\).*manex fetch"):
        made(paths)


def test_where_nothing_is_at_hand_the_dataset_is_absent_and_the_reason_says_what_to_do(paths: Paths) -> None:
    fetch("weizmann", Fetch(), paths)
    assert "set MANEX_MIRROR" in (absence(paths.raw("weizmann")) or "")


def test_a_source_asked_for_by_name_must_be_there(paths: Paths) -> None:
    with pytest.raises(UserError, match=r"fetch\.weizmann: .*set MANEX_MIRROR"):
        fetch("weizmann", Fetch(weizmann=WeizmannFiles(source="strips")), paths)


def test_what_was_fetched_earlier_is_kept_when_the_mirror_is_gone(paths: Paths, tmp_path: Path) -> None:
    fetched(paths, tmp_path, "avi")
    before = sorted(path.name for path in paths.raw("weizmann").rglob("*"))
    shutil.rmtree(tmp_path / "mirror")
    fetch("weizmann", Fetch(weizmann=WeizmannFiles(actions=("jack",))), paths)
    assert sorted(path.name for path in paths.raw("weizmann").rglob("*")) == before
    fetch("weizmann", Fetch(weizmann=WeizmannFiles(actions=("walk",))), paths)
    assert absence(paths.raw("weizmann"))


@real
@pytest.mark.parametrize(("name", "frames"), [("ido_walk", 43), ("lyova_walk", 50), ("eli_jack", 51)])
def test_the_real_videos_have_as_many_frames_as_their_masks(name: str, frames: int) -> None:
    assert np.stack(list(read_video(REAL / "avi" / f"{name}.avi"))).shape == (frames, 144, 180, 3)


@real
def test_the_real_crop_holds_the_whole_person_and_follows_him(paths: Paths) -> None:
    """White in the place of the mask, black elsewhere: what the crop shows is what it keeps of the person."""
    from manex.datasets.pictures import followed
    from pipeline.sources.weizmann import _masks

    masks = _masks(REAL / "classification_masks.mat", "original_masks")["ido_walk"]
    painted = np.repeat(255 * masks[..., None], 3, -1)
    crop = followed(painted, masks, 32, colour=False)[:, 0]
    rows, columns = np.indices((32, 32))
    mass = crop.sum((1, 2))
    centres = np.stack([(crop * axis).sum((1, 2)) / mass for axis in (rows, columns)], 1)
    assert np.abs(centres - 15.5).max() < 3
    edge = np.concatenate([crop[:, 0], crop[:, -1], crop[:, :, 0], crop[:, :, -1]], 1)
    assert edge.max() < 0.5
    assert np.ptp(mass / masks.sum((1, 2))) / np.mean(mass / masks.sum((1, 2))) < 0.05


@real
def test_the_real_strips_make_a_dataset_of_nine_people(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANEX_MIRROR", str(REAL.parent))
    fetch("weizmann", Fetch(weizmann=WeizmannFiles(actions=("bend",), source="strips")), paths)
    videos, told = made(paths, action="bend", size=32, stride=2, held_out=200)
    assert videos.shape == (9, 5, 1, 32, 32)
    assert told == "action bend, 9 people: 64x64 crops that follow the person; 639 frames of 9 clips"
    step = (videos[:, 1:] - videos[:, :-1]).flatten(2).norm(dim=2)
    assert step.max() < 0.25 * videos.flatten(2).norm(dim=2).min()  # frames of one clip, in order


def test_all_actions_are_the_ten_of_the_data_set() -> None:
    assert set(WeizmannFiles.model_validate({"actions": "all"}).actions) == set(get_args(Action))
    assert len(get_args(Action)) == 10


@real
def test_the_four_mirrored_actions_are_trained_on_together(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANEX_MIRROR", str(REAL.parent))
    four = ("bend", "jack", "wave1", "wave2")
    fetch("weizmann", Fetch(weizmann=WeizmannFiles(actions=four, source="strips")), paths)
    apart, told = made(paths, action="jack", size=32, stride=2, held_out=200)
    together, told_together = made(paths, action="jack", size=32, stride=2, held_out=200, train_actions="all")
    assert torch.equal(apart, together)
    assert told.endswith("of 9 clips")
    assert told_together.endswith("2645 frames of 36 clips")


@real
def test_the_real_masks_alone_make_a_dataset_of_any_action(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MANEX_MIRROR", str(REAL.parent))
    fetch("weizmann", Fetch(weizmann=WeizmannFiles(actions=("run",), source="masks")), paths)
    videos, _ = made(paths, action="run", size=32)
    assert videos.shape == (9, 5, 1, 32, 32)

"""Clips of the user's own as a dataset: folders of pictures, and videos."""

from __future__ import annotations

import shutil
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from movies import moving_square, write_pictures, write_video
from PIL import Image

from manex.datasets.frames import Frames, frames
from manex.datasets.videos import ClipVideos
from pipeline.config.data import DatasetEntry
from pipeline.config.entries import parse_entry
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.sources.frames import read
from pipeline.stages.prepare import prepare
from pipeline.storage.artifacts import read_json
from pipeline.storage.prepared import load_prepared


def own(**changes: object) -> DatasetEntry:
    values = {"kind": "frames", "path": "mine", "size": 16, "held_out": 4, **changes}
    entry = parse_entry(DatasetEntry, values, "data.own")
    assert isinstance(entry, DatasetEntry)
    return entry


def clips(root: Path, **changes: object) -> ClipVideos:
    """The user's clips below a project's root, as the dataset kind makes them."""
    cfg = own(**changes).settings
    assert isinstance(cfg, Frames)
    return frames(cfg, read(cfg, Paths(root)))


def test_folders_of_pictures_and_videos_side_by_side_are_ones_own_clips(tmp_path: Path) -> None:
    clip = moving_square(8)
    write_pictures(tmp_path / "mine" / "b", clip)
    write_video(tmp_path / "mine" / "a.avi", clip)
    (tmp_path / "mine" / "notes.txt").write_text("not a clip")
    made = clips(tmp_path)
    assert made.videos.shape == (2, 5, 1, 16, 16)
    np.testing.assert_array_equal(made.frames[:8], made.frames[8:])
    assert made.note == "2 clips of one's own, 16 frames"


@pytest.mark.parametrize("path", ["mine", "mine/a.avi"])
def test_one_clip_alone_is_enough(path: str, tmp_path: Path) -> None:
    write_video(tmp_path / "mine" / "a.avi", moving_square(8))
    assert len(clips(tmp_path, path=path).videos) == 1


def test_a_folder_that_holds_pictures_is_one_clip(tmp_path: Path) -> None:
    write_pictures(tmp_path / "mine", moving_square(8), "{:03}.jpg")
    assert len(clips(tmp_path, frames=3, stride=3).videos) == 1


@pytest.mark.parametrize("content", [None, "empty"])
def test_ones_own_path_that_holds_no_clips_is_told_by_its_field(content: str | None, tmp_path: Path) -> None:
    if content:
        (tmp_path / "mine").mkdir()
    with pytest.raises(UserError, match=r"^params\.yaml: data\.own\.path: mine (is not there|holds no clips)"):
        prepare("own", own(), Paths(tmp_path))


def test_a_clip_of_one_frame_is_told_with_what_it_needs(tmp_path: Path) -> None:
    write_pictures(tmp_path / "mine" / "a", moving_square(1))
    with pytest.raises(UserError, match=r"mine/a: 1 frame\(s\); 5 frames at stride 2 need 9"):
        prepare("own", own(stride=2), Paths(tmp_path))


def told(root: Path, **changes: object) -> str:
    """Why `prepare` refuses the user's clips."""
    with pytest.raises(UserError) as caught:
        prepare("own", own(**changes), Paths(root))
    return str(caught.value)


STILL = {
    "black": np.zeros((12, 24, 40, 3), np.uint8),
    "one picture": np.repeat(moving_square(1), 12, 0),
    "black at first": np.concatenate([np.zeros((3, 24, 40, 3), np.uint8), moving_square(9)])[[0, 1, *range(2, 9)]],
    "doubled at first": moving_square(8)[[0, 0, 1, 2, 3]],
    "faint noise at first": np.concatenate(
        [moving_square(1), moving_square(1) ^ (np.arange(40)[:, None] == 39), moving_square(5)[1:]]
    ),
    "every frame twice": np.repeat(moving_square(6), 2, 0),
    "every frame three times": np.repeat(moving_square(6), 3, 0),
}


@pytest.mark.parametrize("kind", STILL)
def test_a_clip_that_stands_still_is_refused_before_anything_is_trained_and_named(kind: str, tmp_path: Path) -> None:
    write_pictures(tmp_path / "mine" / "good", moving_square(9))
    write_video(tmp_path / "mine" / "still.avi", STILL[kind].astype(np.uint8))
    found = [told(tmp_path, frames=4, seed=seed) for seed in _seeds_that_start_still(STILL[kind])]
    assert found
    for line in found:
        assert line.startswith("params.yaml: data.own.path: still.avi ")
        assert "stands still" in line or "hardly moves between frames" in line


def _seeds_that_start_still(clip: np.ndarray) -> list[int]:
    """Seeds whose draw begins the video of the second clip with two frames that are nearly the same."""
    still = [np.abs(one.astype(int) - other).sum() < 200 for one, other in pairwise(clip)]
    starts = {seed: int(np.random.default_rng([seed, 1]).integers(len(clip) - 3)) for seed in range(40)}
    return [seed for seed, start in starts.items() if still[start]][:4]


def test_a_clip_that_rests_elsewhere_than_at_its_given_frames_is_walked_with(tmp_path: Path) -> None:
    clip = moving_square(9)[[0, 1, 2, 3, 4, 5, 5, 5, 6, 7, 8]]
    write_pictures(tmp_path / "mine" / "a", clip)
    starts = {seed: int(np.random.default_rng([seed, 0]).integers(9)) for seed in range(20)}
    still = next(seed for seed, start in starts.items() if start in (5, 6))
    moving = next(seed for seed, start in starts.items() if start not in (5, 6))
    assert len(clips(tmp_path, seed=moving, frames=3).videos) == 1
    with pytest.raises(ValueError, match="a hardly moves between frames"):
        clips(tmp_path, seed=still, frames=3)


def test_videos_are_known_by_the_names_of_their_clips_in_natural_order(tmp_path: Path) -> None:
    for name in ("clip10", "clip2", "sub/clip1"):
        write_pictures(tmp_path / "mine" / name, moving_square(8))
    prepare("own", own(), Paths(tmp_path))
    assert clips(tmp_path).names == ("clip2", "clip10", "sub/clip1")
    assert read_json(Paths(tmp_path).prepared("own") / "dataset.json", "")["clips"] == ["clip2", "clip10", "sub/clip1"]
    assert load_prepared("own", Paths(tmp_path)).names == ("clip2", "clip10", "sub/clip1")


def test_the_settings_of_levels_reach_the_frames(tmp_path: Path) -> None:
    clip = np.concatenate([moving_square(8, 16, 30), np.full((8, 16, 30, 1), 255, np.uint8)], -1)
    clip[:, :8, :, 3] = 0
    write_pictures(tmp_path / "mine" / "a", clip)
    assert np.all(clips(tmp_path, ground=255).frames[..., :8, :] == 1)
    shutil.rmtree(tmp_path / "mine")
    for number, picture in enumerate(moving_square(8, 16, 30)[..., 0].astype(np.uint16) << 4):
        (tmp_path / "mine").mkdir(exist_ok=True)
        Image.fromarray(picture).save(tmp_path / "mine" / f"{number}.png")
    bright = clips(tmp_path, bits=12).frames
    np.testing.assert_allclose(bright, moving_square(8, 16, 30)[:, None, :, 7:23, 0] * 16.0 / 4095, atol=1e-4)


def test_what_is_skipped_or_odd_is_said_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pictures(tmp_path / "mine" / "a", moving_square(8)[[0, 1, 2, 3, 4, 5]])
    (tmp_path / "mine" / "a" / "frame_2.png").unlink()
    (tmp_path / "mine" / "a" / "frame_2.txt").write_text("lost")
    (tmp_path / "mine" / ".DS_Store").touch()
    clips(tmp_path)
    said = capsys.readouterr().err
    for words in (
        "mine: skipped .DS_Store",
        "not used, as neither pictures nor videos: a/frame_2.txt",
        "mine/a: the numbers have a gap",
    ):
        assert words in said
    assert all(line.startswith("manex: ") for line in said.splitlines())

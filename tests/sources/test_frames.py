"""Clips of the user's own as a dataset: folders of pictures, and videos."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from movies import moving_square, write_pictures, write_video

from manex.datasets.frames import Frames, frames
from manex.datasets.videos import ClipVideos
from pipeline.config.data import DatasetEntry
from pipeline.config.entries import parse_entry
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.sources.frames import read
from pipeline.stages.prepare import prepare


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

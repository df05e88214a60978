"""What becomes of every file of a folder: it is a clip's, or junk, or named; nothing vanishes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from movies import moving_square, write_pictures, write_video
from PIL import Image

from pipeline.clips.listing import find_clips
from pipeline.errors import UserError

CLIP = moving_square(4)


def found(folder: Path) -> tuple[list[str], list[str]]:
    """The names of the clips, and the lines that are told."""
    lines: list[str] = []
    return [clip.name for clip in find_clips(folder, lines.append)], lines


def pictures(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        Image.fromarray(CLIP[0]).save(folder / name)


def test_clips_are_in_natural_order_and_named_by_their_place(tmp_path: Path) -> None:
    for name in ("clip10", "clip2", "in/deep/b", "in/deep/a"):
        write_pictures(tmp_path / name, CLIP)
    write_video(tmp_path / "Clip3.AVI", CLIP)
    assert found(tmp_path) == (["clip2", "Clip3.AVI", "clip10", "in/deep/a", "in/deep/b"], [])


def test_frames_of_several_formats_are_all_used_in_one_order(tmp_path: Path) -> None:
    suffixes = ("bmp", "png", "tiff", "webp", "jpg", "TIF", "jpeg")
    pictures(tmp_path / "a", *(f"frame_{n}.{suffix}" for n, suffix in enumerate(suffixes)))
    (clip,) = find_clips(tmp_path, lambda line: None)
    assert [path.name for path in clip.pictures] == [f"frame_{n}.{suffix}" for n, suffix in enumerate(suffixes)]


BESIDE: dict[str, Callable[[Path], object]] = {
    "a folder of pictures": lambda top: write_pictures(top / "a", CLIP),
    "a video": lambda top: write_video(top / "a.avi", CLIP),
    "clips further down": lambda top: write_pictures(top / "in" / "deep" / "a", CLIP),
}


@pytest.mark.parametrize("kind", BESIDE)
def test_pictures_beside_clips_are_refused_with_both(kind: str, tmp_path: Path) -> None:
    BESIDE[kind](tmp_path)
    pictures(tmp_path, "frame_0.png", "frame_1.png")
    beside = r"pictures beside (a\.avi|clips in folders): frame_0\.png, frame_1\.png; put the pictures"
    with pytest.raises(UserError, match=beside):
        found(tmp_path)


def test_masks_in_a_folder_within_a_clip_are_refused(tmp_path: Path) -> None:
    write_pictures(tmp_path / "clip", CLIP)
    write_pictures(tmp_path / "clip" / "masks", CLIP)
    with pytest.raises(UserError, match=r"clip: pictures beside clips in folders: frame_0\.png, frame_1\.png, "):
        found(tmp_path)


OTHER_MEDIA = ("b.heic", "b.exr", "b.jp2", "b.svg", "b.psd", "b.y4m", "b.mxf", "b.h264", "b.m3u8x.rm", "b.npy", "b.pgm")


@pytest.mark.parametrize("name", OTHER_MEDIA)
def test_media_that_cannot_be_read_are_refused_by_name(name: str, tmp_path: Path) -> None:
    write_video(tmp_path / "a.avi", CLIP)
    (tmp_path / name).write_bytes(b"whatever")
    with pytest.raises(UserError, match=rf"{name}: cannot be used: clips are folders of pictures"):
        found(tmp_path)


@pytest.mark.parametrize("name", ["video", "clip1.bak", "b.dat"])
def test_a_video_without_its_suffix_is_refused_by_name(name: str, tmp_path: Path) -> None:
    write_video(tmp_path / "a.avi", CLIP)
    shutil.copy(tmp_path / "a.avi", tmp_path / name)
    with pytest.raises(UserError, match=rf"{name}: cannot be used"):
        found(tmp_path)


def test_what_is_no_medium_is_named_and_not_used(tmp_path: Path) -> None:
    write_pictures(tmp_path / "clip", CLIP)
    for name in ("notes.txt", "clip/times.csv", "labels.json"):
        (tmp_path / name).write_text("7")
    (tmp_path / "empty").mkdir()
    clips, (line,) = found(tmp_path)
    assert clips == ["clip"]
    for name in ("notes.txt", "clip/times.csv", "labels.json", "empty (a folder without clips)"):
        assert name in line


JUNK = (
    *(".DS_Store", "._clip.png", ".ipynb_checkpoints/frame_0.png", "__MACOSX/clip/._frame_0.png", "Thumbs.db"),
    *(
        "desktop.ini",
        "clip/.gitkeep",
        "clip/Thumbs.db",
        "clip/._frame_1.png",
        "clip/@eaDir/frame_0.png",
        "clip/ehthumbs.db",
    ),
)


def test_junk_of_systems_is_skipped_and_said_once(tmp_path: Path) -> None:
    write_pictures(tmp_path / "clip", CLIP)
    for name in JUNK:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"\0\5\x16\7")
    clips, lines = found(tmp_path)
    assert clips == ["clip"]
    (line,) = lines
    assert "skipped" in line
    assert ".DS_Store" in line


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: write_pictures(path, CLIP)])
def test_a_folder_that_is_called_like_a_video_is_a_folder(make: Callable[[Path], object], tmp_path: Path) -> None:
    write_video(tmp_path / "b.avi", CLIP)
    make(tmp_path / "a.avi")
    clips, lines = found(tmp_path)
    assert clips == [*(["a.avi"] if any((tmp_path / "a.avi").iterdir()) else []), "b.avi"]
    assert len(lines) == 2 - len(clips)


def test_a_pipe_is_refused_and_not_waited_on(tmp_path: Path) -> None:
    write_video(tmp_path / "a.avi", CLIP)
    os.mkfifo(tmp_path / "b.avi")
    with pytest.raises(UserError, match=r"b\.avi: no regular file"):
        found(tmp_path)


def test_links_are_followed_but_not_in_circles_nor_to_nowhere(tmp_path: Path) -> None:
    write_pictures(tmp_path / "elsewhere", CLIP)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a").symlink_to(tmp_path / "elsewhere")
    assert found(tmp_path / "mine") == (["a"], [])
    (tmp_path / "mine" / "again").symlink_to(tmp_path / "mine")
    with pytest.raises(UserError, match="again: a link to a folder that holds it"):
        found(tmp_path / "mine")
    (tmp_path / "mine" / "again").unlink()
    (tmp_path / "mine" / "b.mp4").symlink_to(tmp_path / "gone.mp4")
    with pytest.raises(UserError, match=r"b\.mp4: a link that leads nowhere"):
        found(tmp_path / "mine")


@pytest.mark.parametrize("name", [b"caf\xe9.avi", b"\xff\xfe/frame_0.png", b"clip/\xe9.txt"])
def test_names_that_are_not_utf8_are_refused_for_dvc_would_fail(name: bytes, tmp_path: Path) -> None:
    write_pictures(tmp_path / "clip", CLIP)
    path = tmp_path / os.fsdecode(name)
    path.parent.mkdir(exist_ok=True)
    path.touch()
    with pytest.raises(UserError, match=r"\\x.*is not UTF-8, which DVC cannot store; rename it"):
        found(tmp_path)


def test_a_flat_folder_of_several_objects_is_refused_with_what_to_do(tmp_path: Path) -> None:
    """As COIL-20 comes."""
    pictures(tmp_path, *(f"obj{object_}__{view}.png" for object_ in (1, 2) for view in range(3)))
    with pytest.raises(UserError, match=r"several objects would.*give each series a folder of its own"):
        found(tmp_path)


def test_a_gap_in_the_frames_is_said_with_the_clip(tmp_path: Path) -> None:
    pictures(tmp_path / "clip", *(f"{n}.png" for n in (1, 2, 3, 7, 8)))
    assert found(tmp_path)[1] == [f"{tmp_path}/clip: the numbers have a gap: 3.png is followed by 7.png"]


@pytest.mark.parametrize("name", ["a.png", "a.txt", "a"])
def test_a_path_to_one_file_must_be_a_video(name: str, tmp_path: Path) -> None:
    Image.fromarray(CLIP[0]).save(tmp_path / name, "PNG")
    with pytest.raises(ValueError, match="is neither a video"):
        found(tmp_path / name)

"""Files made to harm, or shaken at random: nothing is written where it should not be, nothing is taken for data."""

from __future__ import annotations

import random
import struct
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "sources"))
from movies import moving_square, write_archive, write_masks, write_pictures, write_video

from pipeline.clips.levels import Look, Picture
from pipeline.clips.listing import Clip
from pipeline.clips.read import read_clip
from pipeline.clips.stills import read_picture
from pipeline.config.params import load
from pipeline.errors import UserError
from pipeline.sources.weizmann import _masks
from pipeline.sources.weizmann_files import MASKS, unpack_clips
from pipeline.storage.artifacts import read_csv, read_json, read_tensors, write_tensors

SHORT, LONG = range(6), range(6, 200)
PLAYLISTS = {
    "concat": "ffconcat version 1.0\nfile secret.avi\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.avi\n#EXT-X-ENDLIST\n",
    "hls of an address": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
}


def seeds(run: range, name: str = "seed") -> pytest.MarkDecorator:
    return pytest.mark.parametrize(name, run)


def shaken(content: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, a part cut out or put in twice."""
    found = bytearray(content)
    for _ in range(chance.choice([1, 4, 40])):
        found[chance.randrange(len(found))] = chance.randrange(256)
    start, end = sorted(chance.randrange(len(found)) for _ in range(2))
    kind = chance.randrange(4)
    return bytes(found if kind < 2 else found[:start] + found[end:] if kind == 2 else found[:end] + found[start:])


def read_video(path: Path) -> Iterator[Picture]:
    return read_clip(Clip(path.name, path), Look(), lambda line: None)


def refused_or_read(read: Callable[..., object], *arguments: object) -> bool:
    """Whether what is refused is told in one line; any other error fails the test."""
    try:
        found = read(*arguments)
        for _ in found if hasattr(found, "__next__") else ():
            pass
    except UserError as error:
        return "\n" not in str(error)
    return True


@pytest.mark.parametrize("name", PLAYLISTS)
def test_a_playlist_is_no_video_whatever_its_name(name: str, tmp_path: Path) -> None:
    write_video(tmp_path / "secret.avi", moving_square(4))
    (tmp_path / "clip.avi").write_text(PLAYLISTS[name])
    with pytest.raises(UserError, match=r"clip\.avi: cannot be decoded as a video"):
        list(read_video(tmp_path / "clip.avi"))


def _shake_everything(seed: int, folder: Path) -> None:
    chance = random.Random(seed)
    made = {
        "a.avi": write_video(folder / "a.avi", moving_square(4)),
        "a.mp4": write_video(folder / "a.mp4", moving_square(4), "mpeg4", "yuv420p"),
        "a.mat": write_masks(folder / MASKS, ["ido_jack", "eli_jack"], 4),
        "a.png": write_pictures(folder / "pictures", moving_square(1)) / "frame_0.png",
        "a.zip": write_archive(folder / "a.zip", {f"{p}_jack.avi": bytes(3000) for p in ("ido", "eli")}),
    }
    for path in made.values():
        path.write_bytes(shaken(path.read_bytes(), chance))
    outside = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert refused_or_read(read_video, made["a.avi"])
    assert refused_or_read(read_video, made["a.mp4"])
    assert refused_or_read(_masks, made["a.mat"], "original_masks")
    assert refused_or_read(read_picture, made["a.png"])
    assert refused_or_read(unpack_clips, made["a.zip"], folder / "in")
    assert {path: path.stat().st_mtime_ns for path in outside} == outside
    assert {path.suffix for path in (folder / "in").iterdir()} <= {".avi"}


@seeds(SHORT)
def test_shaken_media_are_refused_or_read(seed: int, tmp_path: Path) -> None:
    _shake_everything(seed, tmp_path)


@pytest.mark.faults
@seeds(LONG)
def test_shaken_media_are_refused_or_read_long(seed: int, tmp_path: Path) -> None:
    _shake_everything(seed, tmp_path)


def _tensors(header: bytes, body: bytes = b"", length: int | None = None) -> bytes:
    return struct.pack("<Q", len(header) if length is None else length) + header + body


@pytest.mark.parametrize(
    "content",
    [
        _tensors(b"{}", length=2**63),
        _tensors(b"{}", length=2**40),
        _tensors(b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,999999999]}}', bytes(16)),
        _tensors(b'{"a":{"dtype":"F32","shape":[999999999,999999999],"data_offsets":[0,16]}}', bytes(16)),
        _tensors(b'{"a":{"dtype":"F32","shape":[4],"data_offsets":[16,0]}}', bytes(16)),
        _tensors(b'{"a":{"dtype":"F32","shape":[-4],"data_offsets":[0,16]}}', bytes(16)),
        _tensors(b'{"a":{"dtype":"PICKLE","shape":[4],"data_offsets":[0,16]}}', bytes(16)),
        _tensors(b"[" * 100_000),
        b"PK\x03\x04" + bytes(400),
        b"\x80\x04cos\nsystem\n(S'true'\ntR.",
    ],
)  # fmt: skip
def test_tensors_that_lie_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"a\.safetensors: damaged \(.*make it again with: x"):
        read_tensors(path, "x", ("a",))


def _shake_artifacts(seed: int, folder: Path) -> None:
    import torch

    chance = random.Random(seed)
    write_tensors(folder / "a.safetensors", {"a": torch.rand(5, 3), "b": torch.arange(7)})
    (folder / "a.json").write_text('{"latent": true, "unit": "degrees", "settings": {"widths": [4, 8]}, "period": 360}')
    (folder / "a.csv").write_text("trial,video,dtw_ssid\n0,0,0.5\n0,1,0.7\n1,0,0.1\n1,1,0.3\n")
    for name, read in (("a.safetensors", read_tensors), ("a.json", read_json), ("a.csv", read_csv)):
        path = folder / name
        path.write_bytes(shaken(path.read_bytes(), chance))
        assert refused_or_read(read, path, "x")


@seeds(range(20))
def test_shaken_artifacts_without_a_seal_are_refused_or_read(seed: int, tmp_path: Path) -> None:
    _shake_artifacts(seed, tmp_path)


@pytest.mark.faults
@seeds(range(20, 1000))
def test_shaken_artifacts_without_a_seal_are_refused_or_read_long(seed: int, tmp_path: Path) -> None:
    _shake_artifacts(seed, tmp_path)


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + last] * 9)}]\n" for last, name in zip("abcdefghij", "bcdefghijk", strict=True)
)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LAUGHS, "unfold to more than"),
        (LAUGHS + "profile: *k\n", "unfold to more than"),
        ("profile: &a [*a]", "unfold to more than"),
        ("profile: &a {b: *a}", "unfold to more than"),
        ("[" * 2000, "nested too deeply"),
        ("profile: " + "x" * 2**20, "are no settings"),
        ("profile: !!python/object/apply:os.system ['touch pwned']", "python/object"),
        ("profile: !!python/name:os.system", "python/name"),
        ("profile: " + "9" * 5000, "4300 digits"),
        ("profile: 2001-99-99", "month"),
    ],
)
def test_settings_made_to_harm_are_refused_in_a_line(
    text: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(UserError, match=told) as caught:
        load(tmp_path / "params.yaml")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 600
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


def test_an_archive_in_an_archive_is_not_unpacked(tmp_path: Path) -> None:
    inner = write_archive(tmp_path / "ido_jack.zip", {"ido_jack.avi": bytes(100)})
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(inner, "ido_jack.zip")
    unpack_clips(tmp_path / "a.zip", tmp_path / "in")
    assert list((tmp_path / "in").iterdir()) == []

"""Where the Weizmann videos come from, and what a hostile archive may not do."""

from __future__ import annotations

import json
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from movies import moving_square, write_archive, write_masks, write_mirror, write_video

from manex.datasets.weizmann_names import PEOPLE
from pipeline.config.fetch import WeizmannFiles
from pipeline.errors import UserError
from pipeline.sources import weizmann_files
from pipeline.sources.weizmann_files import MASKS, NotThereError, Site, fetch_weizmann, unpack_clips
from pipeline.storage.artifacts import sha256

JACK = WeizmannFiles(actions=("jack",))
DEAD = "http://127.0.0.1:9/"
"""The discard port: nothing listens there."""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def nowhere(tmp_path: Path) -> Site:
    return Site(DEAD, tmp_path / "cache", retries=0)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the official site has, in small: an archive of one action, and the masks."""
    folder = tmp_path_factory.mktemp("served")
    names = [f"{person}_jack" for person in PEOPLE]
    clip = write_video(folder / "clip.avi", moving_square(8)).read_bytes()
    write_archive(folder / "jack.zip", {f"{name}.avi": clip for name in names} | {"Thumbs.db": b"of no use"})
    write_masks(folder / MASKS, names, 8)
    return folder


@pytest.fixture
def site(served: Path, tmp_path: Path) -> Iterator[Site]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield Site(f"http://127.0.0.1:{server.server_address[1]}/", tmp_path / "cache", retries=0)
        server.shutdown()
        thread.join()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "raw").mkdir()
    return tmp_path / "raw"


def test_the_site_gives_every_clip_and_the_masks(site: Site, folder: Path) -> None:
    assert fetch_weizmann(JACK, folder, None, site)[:2] == ("avi", "site")
    assert {path.name for path in (folder / "avi").iterdir()} == {f"{person}_jack.avi" for person in PEOPLE}
    assert (folder / MASKS).is_file()


def test_what_the_site_gave_once_is_not_asked_for_again(site: Site, folder: Path) -> None:
    first = site.get("jack.zip")
    assert json.loads((site.cache / "sha256.json").read_text()) == {"jack.zip": sha256(first)}
    assert Site(DEAD, site.cache, retries=0).get("jack.zip") == first


def test_other_bytes_than_the_first_time_are_refused(site: Site) -> None:
    path = site.get("jack.zip")
    (site.cache / "sha256.json").write_text(json.dumps({"jack.zip": "0" * 64}))
    path.unlink()
    with pytest.raises(NotThereError, match=r"jack\.zip.*hash"):
        site.get("jack.zip")
    assert not path.exists()


@pytest.mark.parametrize("name", ["jack.zip", MASKS])
def test_a_page_in_the_place_of_data_is_not_kept(name: str, site: Site, served: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / name).write_text("<html>back soon</html>")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(other))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        with pytest.raises(NotThereError, match="answers, but not with"):
            Site(f"http://127.0.0.1:{server.server_address[1]}/", site.cache, retries=0).get(name)
        server.shutdown()
        thread.join()
    assert sha256(site.get(name)) == sha256(served / name)


def test_a_complete_mirror_serves_videos_without_a_network(nowhere: Site, folder: Path, tmp_path: Path) -> None:
    mirror = write_mirror(tmp_path / "mirror", "jack", frames=6)
    assert fetch_weizmann(JACK, folder, mirror, nowhere)[:2] == ("avi", "mirror")
    assert sha256(folder / "avi" / "ido_jack.avi") == sha256(mirror / "weizmann" / "avi" / "ido_jack.avi")


def test_a_mirror_of_strips_serves_where_there_are_no_videos(nowhere: Site, folder: Path, tmp_path: Path) -> None:
    mirror = write_mirror(tmp_path / "mirror", "jack", frames=6, kind="strips")
    assert fetch_weizmann(JACK, folder, mirror, nowhere)[:2] == ("strips", "mirror")


def test_masks_alone_serve_last(nowhere: Site, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mirror" / "weizmann").mkdir(parents=True)
    write_masks(tmp_path / "mirror" / "weizmann" / MASKS, ["ido_jack"], 6)
    assert fetch_weizmann(JACK, folder, tmp_path / "mirror", nowhere)[:2] == ("masks", "mirror")


@pytest.mark.parametrize("place", ["avi/in/{}.avi", "avi/{}.AVI", "AVI/{}.Avi", "jack/{}.avi", "{}.avi", "upper"])
def test_videos_in_capitals_or_in_other_folders_are_found(
    place: str, nowhere: Site, folder: Path, tmp_path: Path
) -> None:
    mirror = write_mirror(tmp_path / "mirror", "jack", 4) / "weizmann"
    for path in sorted((mirror / "avi").glob("*.avi")):
        target = mirror / (f"{path.stem.upper()}.AVI" if place == "upper" else place.format(path.stem))
        target.parent.mkdir(parents=True, exist_ok=True)
        path.rename(target)
    (mirror / "avi" / "._ido_jack.avi").write_bytes(b"junk")
    assert fetch_weizmann(JACK, folder, tmp_path / "mirror", nowhere) == ("avi", "mirror", "")
    assert {path.name for path in (folder / "avi").iterdir()} == {f"{person}_jack.avi" for person in PEOPLE}


def test_two_videos_of_one_name_are_refused_with_both(nowhere: Site, folder: Path, tmp_path: Path) -> None:
    mirror = write_mirror(tmp_path / "mirror", "jack", 4)
    (mirror / "weizmann" / "old").mkdir()
    write_video(mirror / "weizmann" / "old" / "Ido_Jack.avi", moving_square(4))
    with pytest.raises(UserError, match=r"two clips are called ido_jack: .*avi/ido_jack\.avi and .*old/Ido_Jack\.avi"):
        fetch_weizmann(JACK, folder, mirror, nowhere)


def test_why_no_better_files_were_taken_is_said(nowhere: Site, folder: Path, tmp_path: Path) -> None:
    mirror = write_mirror(tmp_path / "mirror", "jack", 4) / "weizmann"
    (mirror / "avi" / "ido_jack.avi").unlink()
    kind, place, reasons = fetch_weizmann(JACK, folder, tmp_path / "mirror", nowhere)
    assert (kind, place) == ("masks", "mirror")
    assert reasons == f"{mirror}/avi lacks ido_jack; {DEAD} cannot be reached; {mirror}/rgb64_png lacks " + (
        f"{PEOPLE[0]}_jack, {PEOPLE[1]}_jack, {PEOPLE[2]}_jack and 6 more"
    )


def test_a_mirror_that_lacks_one_person_is_told_with_the_clip(nowhere: Site, folder: Path, tmp_path: Path) -> None:
    mirror = write_mirror(tmp_path / "mirror", "jack", frames=6)
    (mirror / "weizmann" / "avi" / "ido_jack.avi").unlink()
    with pytest.raises(NotThereError, match=r"avi lacks ido_jack; http.*cannot be reached"):
        fetch_weizmann(WeizmannFiles(actions=("jack",), source="avi"), folder, mirror, nowhere)


def test_nothing_anywhere_is_told_with_every_place(nowhere: Site, folder: Path, tmp_path: Path) -> None:
    with pytest.raises(NotThereError, match=r"avi lacks .*cannot be reached.*rgb64_png lacks.*mat is not there"):
        fetch_weizmann(JACK, folder, tmp_path, nowhere)


@pytest.mark.parametrize(
    "name",
    ["../ido_jack.avi", "/tmp/ido_jack.avi", "a/../../ido_jack.avi", "..\\ido_jack.avi", "C:\\ido_jack.avi"],
)
def test_a_member_that_climbs_out_is_refused_and_nothing_is_written_outside(name: str, folder: Path) -> None:
    archive = write_archive(folder / "a.zip", {name: b"evil"})
    with pytest.raises(UserError, match="leads out of its folder; the archive is not used"):
        unpack_clips(archive, folder / "in")
    assert {path.name for path in folder.rglob("*")} == {"a.zip", "in"}


def test_a_link_is_refused(folder: Path) -> None:
    link = zipfile.ZipInfo("ido_jack.avi")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(folder / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(UserError, match=r"'ido_jack\.avi' is a link"):
        unpack_clips(folder / "a.zip", folder / "in")


def test_a_bomb_is_refused_before_it_is_unpacked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weizmann_files, "MAX_MEMBER", 2**20)
    archive = write_archive(folder / "a.zip", {"ido_jack.avi": bytes(2**20 + 1)})
    assert archive.stat().st_size < 2**12
    with pytest.raises(UserError, match="1,048,577 bytes unpacked, beyond any clip's"):
        unpack_clips(archive, folder / "in")
    assert list((folder / "in").iterdir()) == []


def test_many_small_members_are_a_bomb_too(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weizmann_files, "MAX_ARCHIVE", 2**20)
    archive = write_archive(folder / "a.zip", {f"{n}.avi": bytes(2**18) for n in range(5)})
    with pytest.raises(UserError, match="beyond what the dataset has"):
        unpack_clips(archive, folder / "in")


def test_a_member_that_unpacks_to_more_than_it_declares_writes_no_more(folder: Path) -> None:
    archive = write_archive(folder / "a.zip", {"ido_jack.avi": bytes(5000)})
    lying = archive.read_bytes().replace((5000).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    archive.write_bytes(lying)
    with pytest.raises(UserError, match="damaged archive"):
        unpack_clips(archive, folder / "in")
    assert all(path.stat().st_size <= 10 for path in (folder / "in").iterdir())


@pytest.mark.parametrize("kept", [0, 10, 200])
def test_a_truncated_archive_is_refused(kept: int, served: Path, folder: Path) -> None:
    (folder / "a.zip").write_bytes((served / "jack.zip").read_bytes()[:kept])
    with pytest.raises(UserError, match=r"a\.zip: damaged archive"):
        unpack_clips(folder / "a.zip", folder / "in")


def test_a_corrupted_member_is_refused(served: Path, folder: Path) -> None:
    content = bytearray((served / "jack.zip").read_bytes())
    content[300:340] = bytes(40)
    (folder / "a.zip").write_bytes(content)
    with pytest.raises(UserError, match=r"a\.zip: damaged archive"):
        unpack_clips(folder / "a.zip", folder / "in")


def test_two_members_of_one_name_are_refused(folder: Path) -> None:
    archive = write_archive(folder / "a.zip", {"ido_jack.avi": b"one", "again/ido_jack.avi": b"two"})
    with pytest.raises(UserError, match=r"two members are called ido_jack\.avi"):
        unpack_clips(archive, folder / "in")


def test_what_is_no_clip_stays_packed(folder: Path) -> None:
    members = {"DB/": b"", "DB/ido_jack.avi": b"x", "DB/Thumbs.db": b"x", "run_me.avi": b"x", "ido_jack.exe": b"x"}
    unpack_clips(write_archive(folder / "a.zip", members), folder / "in")
    assert [path.name for path in (folder / "in").iterdir()] == ["ido_jack.avi"]

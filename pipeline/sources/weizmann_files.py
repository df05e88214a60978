"""Where the Weizmann videos come from: the official site, or a mirror on this machine (MANEX_MIRROR).

Three kinds of files can serve: the original AVIs with the masks to crop by (`avi`); 64x64 crops as PNG strips
(`strips`, mirrors only); the masks alone, as silhouettes (`masks`). `auto` takes the first that is complete for the
actions asked for, mirror before site. Nothing here is trusted: archives are unpacked member by member within limits,
and a file of the site must have the same bytes at every later download.
"""

from __future__ import annotations

import json
import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Literal, NamedTuple

import pooch.core
import pooch.utils
import requests

from manex.datasets.weizmann import lacking, parts
from manex.datasets.weizmann_names import Action
from pipeline.config.fetch import WeizmannFiles
from pipeline.errors import UserError
from pipeline.redaction import without_secrets
from pipeline.sources.download import Download
from pipeline.storage.artifacts import sha256, write_json

BASE_URL = "https://www.wisdom.weizmann.ac.il/~vision/VideoAnalysis/Demos/SpaceTimeActions/DB/"
MASKS = "classification_masks.mat"
FOLDERS = {"avi": ("avi", ".avi"), "strips": ("rgb64_png", ".png")}
"""Where a mirror should have the clips of a kind, and how their names end."""
WHAT = {
    "avi": "original videos, cropped around the person",
    "avi without masks": "original videos, central square (no masks to crop by)",
    "strips": "64x64 crops that follow the person",
    "masks": "silhouettes, not the videos themselves",
}
"""The kinds in words."""

MAX_MEMBERS, MAX_MEMBER, MAX_ARCHIVE = 1000, 2**26, 2**29
"""Limits of an archive: members; unpacked bytes of one member and of all. The longest clip has 11 MB, an action 70."""
RETRIES = 2

Kind = Literal["avi", "strips", "masks"]


class NotThereError(Exception):
    """A place does not have what is asked for."""


class UnreachableError(NotThereError):
    """The site does not answer, so other files need not be tried."""


@dataclass(frozen=True)
class Site:
    """The official site, and the folder that keeps its files."""

    url: str = BASE_URL
    cache: Path = field(default_factory=lambda: Path(pooch.utils.os_cache("manex")) / "weizmann")
    retries: int = RETRIES
    download: Download = field(default_factory=Download)

    def get(self, name: str) -> Path:
        """A file of the site, downloaded once. The sha256 of the first download is recorded and required from then on.

        Raises:
            NotThereError: not reachable, not there, or other bytes than the first time.
        """
        notes = self.cache / "sha256.json"
        try:
            known = json.loads(notes.read_text()) if notes.is_file() else {}
            registry: dict[str, Any] = {name: known.get(name)}
            store = pooch.core.Pooch(self.cache, self.url, registry, retry_if_failed=self.retries)
            path = Path(store.fetch(name, downloader=self.download))  # type: ignore[arg-type] # pooch's own slip
        except (requests.ConnectionError, requests.Timeout):
            raise UnreachableError(f"{self.url} cannot be reached") from None
        except (OSError, ValueError) as error:
            raise NotThereError(f"{self.url}{name}: {' '.join(without_secrets(str(error)).split())[:160]}") from None
        if name not in known:
            if not _is_what_it_should_be(path):
                path.unlink()
                raise NotThereError(f"{self.url}{name}: answers, but not with {path.suffix} data")
            write_json(notes, {**known, name: sha256(path)})
        return path


class Fetched(NamedTuple):
    """Which kind of files was fetched, from where, and why no better ones were, if there are any."""

    kind: Kind
    place: str
    reasons: str = ""


def fetch_weizmann(cfg: WeizmannFiles, folder: Path, mirror: Path | None, site: Site) -> Fetched:
    """Fill a folder with clips (and masks, if there are).

    Raises:
        NotThereError: no place has what is asked for; the message gives each place's reason.
        UserError: what a place has is damaged or hostile.
    """
    kinds: Sequence[Kind] = ("avi", "strips", "masks") if cfg.source == "auto" else (cfg.source,)
    reasons, reachable = [], True
    for kind in kinds:
        for place, where in (("mirror", mirror and mirror / "weizmann"), ("site", site)):
            try:
                if isinstance(where, Path):
                    _from_mirror(kind, cfg.actions, where, folder)
                elif isinstance(where, Site) and kind != "strips" and reachable:
                    _from_site(kind, cfg.actions, where, folder)
                else:
                    continue
            except NotThereError as error:
                reasons.append(str(error))
                reachable = reachable and not isinstance(error, UnreachableError)
            else:
                return Fetched(kind, place, "; ".join(dict.fromkeys(reasons)))
    raise NotThereError("; ".join(dict.fromkeys(reasons)))


def _from_mirror(kind: Kind, actions: Sequence[Action], mirror: Path, folder: Path) -> None:
    masks = next((path for path in sorted(mirror.rglob("*")) if path.name.lower() == MASKS and path.is_file()), None)
    if kind == "masks" and not masks:
        raise NotThereError(f"{mirror / MASKS} is not there")
    if kind != "masks":
        name, suffix = FOLDERS[kind]
        found = _clips(mirror, suffix)
        if gone := lacking(found, actions):
            raise NotThereError(f"{mirror / name} lacks {_some(gone)}")
        (folder / name).mkdir(exist_ok=True)
        for stem, path in found.items():
            if (clip := parts(stem)) and clip[1] in actions:
                _copy(path, folder / name / f"{stem}{suffix}")
    if kind != "strips" and masks:
        _copy(masks, folder / MASKS)


def _clips(mirror: Path, suffix: str) -> dict[str, Path]:
    """The clips of a mirror by their names, whatever folder they are in and whatever their case."""
    found: dict[str, Path] = {}
    for path in sorted(mirror.rglob("*")):
        stem = path.stem.lower()
        if path.suffix.lower() != suffix or not path.is_file() or not parts(stem):
            continue
        if stem in found:
            raise UserError(f"{mirror}: two clips are called {stem}: {found[stem]} and {path}; remove one")
        found[stem] = path
    return found


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise UserError(f"{source}: cannot be copied ({error.strerror or error})") from None


def _from_site(kind: Kind, actions: Sequence[Action], site: Site, folder: Path) -> None:
    archives = [site.get(f"{action}.zip") for action in actions] if kind == "avi" else []
    masks = site.get(MASKS)
    clips = folder / FOLDERS["avi"][0]
    for archive in archives:
        unpack_clips(archive, clips)
    if kind == "avi" and (gone := lacking([path.stem for path in clips.glob("*.avi")], actions)):
        raise UserError(f"{site.url}: the archives lack {_some(gone)}")
    shutil.copyfile(masks, folder / MASKS)


def unpack_clips(archive: Path, folder: Path) -> None:
    """The AVIs of an archive, all into one folder; other files are left where they are.

    Raises:
        UserError: no archive, damaged, or one that tries to escape: absolute or climbing paths, links, two files of one
            name, more or larger members than the dataset has.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
            if len(members) > MAX_MEMBERS or sum(member.file_size for member in members) > MAX_ARCHIVE:
                raise UserError(f"{archive}: {len(members)} members or their sizes are beyond what the dataset has")
            for member in members:
                name = _plain_name(archive, member)
                if name is None:
                    continue
                with opened.open(member) as packed, (folder / name).open("xb") as unpacked:
                    shutil.copyfileobj(packed, unpacked)  # no more than the size that was checked
    except FileExistsError as error:
        raise UserError(f"{archive}: two members are called {Path(error.filename).name}") from None
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise UserError(f"{archive}: damaged archive ({error}); remove it and try again") from None


def _plain_name(archive: Path, member: zipfile.ZipInfo) -> str | None:
    """The file name of a clip, None for what is no clip."""
    path = PurePosixPath(member.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or re.match("[A-Za-z]:", member.filename):
        raise UserError(f"{archive}: {member.filename!r} leads out of its folder; the archive is not used")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise UserError(f"{archive}: {member.filename!r} is a link; the archive is not used")
    if member.file_size > MAX_MEMBER:
        raise UserError(f"{archive}: {member.filename!r} has {member.file_size:,} bytes unpacked, beyond any clip's")
    if member.is_dir() or path.suffix.lower() != ".avi" or parts(path.stem.lower()) is None:
        return None
    return f"{path.stem.lower()}.avi"


def _is_what_it_should_be(path: Path) -> bool:
    """Check the magic bytes, so that an error page is never pinned as the expected file."""
    if path.suffix == ".zip":
        return zipfile.is_zipfile(path)
    with path.open("rb") as stream:
        return stream.read(10) == b"MATLAB 5.0"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")

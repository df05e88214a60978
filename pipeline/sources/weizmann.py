"""The fetched Weizmann clips, decoded and cropped."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat  # type: ignore[attr-defined]

from manex.datasets.base import DatasetSettings
from manex.datasets.pictures import Frames, followed, silhouettes, whole
from manex.datasets.weizmann import PersonClips, Weizmann, wanted
from pipeline.clips.levels import Look, Picture
from pipeline.clips.listing import Clip
from pipeline.clips.read import read_clip
from pipeline.clips.stills import read_strip
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.sources.weizmann_files import FOLDERS, MASKS, WHAT
from pipeline.storage.artifacts import damaged, read_json, sha256

Masks = Mapping[str, NDArray[np.uint8]]
FETCH = "manex fetch weizmann"


def read(cfg: DatasetSettings, paths: Paths) -> PersonClips:
    """What data/raw/weizmann holds, decoded.

    Raises:
        UserError: not fetched, damaged, or not what `cfg` asks for; ValueError: a setting does not fit, by its name.
    """
    assert isinstance(cfg, Weizmann)
    folder = paths.raw("weizmann")
    source = read_json(folder / "source.json", FETCH, ("kind",))
    kind, files = source["kind"], source.get("files")
    if kind not in (*FOLDERS, "masks"):
        raise damaged(folder / "source.json", f"kind {kind!r}", FETCH)
    for name, digest in files.items() if isinstance(files, dict) else ():
        if not (folder / name).is_file() or sha256(folder / name) != digest:
            raise damaged(folder / name, "not the bytes that were fetched", FETCH)
    if kind == "masks":
        return PersonClips(_silhouettes(cfg, folder), WHAT[kind])
    clips, what = _pictured(kind, cfg, folder)
    return PersonClips(clips, WHAT[what])


def _pictured(kind: str, cfg: Weizmann, folder: Path) -> tuple[dict[str, Frames], str]:
    name, suffix = FOLDERS[kind]
    files = {path.stem: path for path in (folder / name).glob(f"*{suffix}")}
    colour, what, clips = cfg.colour == "rgb", kind, {}
    masks = _masks(folder / MASKS, "original_masks") if kind == "avi" and (folder / MASKS).is_file() else None
    for clip in wanted(files, cfg):
        if kind == "strips":
            clips[clip] = whole(read_strip(files[clip]), cfg.size, colour)
        elif masks is None:
            what, clips[clip] = "avi without masks", whole(_video(files[clip]), cfg.size, colour)
        elif clip not in masks:
            raise UserError(f"{folder / MASKS}: no mask of {clip}")
        else:
            try:
                clips[clip] = followed(_video(files[clip]), masks[clip], cfg.size, colour)
            except ValueError as error:
                raise UserError(f"{folder / MASKS}: {clip}: {error}") from None
    return clips, what


def _video(path: Path) -> Iterator[Picture]:
    return read_clip(Clip(path.name, path), Look(), lambda line: None)


def _silhouettes(cfg: Weizmann, folder: Path) -> dict[str, Frames]:
    if cfg.colour == "rgb":
        raise ValueError("colour: rgb: only masks are at hand, which have none")
    masks = _masks(folder / MASKS, "aligned_masks")
    return {clip: silhouettes(masks[clip], cfg.size) for clip in wanted(masks, cfg)}


def _masks(path: Path, group: str) -> Masks:
    """(frame, height, width) masks of every clip; MATLAB keeps the frame last."""
    try:
        struct: Any = loadmat(io.BytesIO(path.read_bytes()), variable_names=[group])[group]
        masks = {name: np.ascontiguousarray(np.moveaxis(struct[name][0, 0], -1, 0)) for name in struct.dtype.names}
    except Exception as error:  # the reader fails in many ways on untrusted bytes
        raise damaged(path, error or type(error).__name__, FETCH) from None
    if any(mask.ndim != 3 or mask.dtype != np.uint8 for mask in masks.values()):
        raise damaged(path, "not masks", FETCH)
    return masks

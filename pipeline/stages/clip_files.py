"""Clips from files to frames: the fetched Weizmann videos, and a user's own."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.io import loadmat  # type: ignore[attr-defined]

from pipeline.config.data import OwnFrames, Weizmann
from pipeline.datasets.clips import Frames, followed, silhouettes, whole
from pipeline.datasets.videos import ClipVideos, clip_videos
from pipeline.datasets.weizmann import wanted, weizmann
from pipeline.errors import UserError
from pipeline.stages.artifacts import damaged, read_json, sha256
from pipeline.stages.media import PICTURES, VIDEOS, read_pictures, read_strip, read_video
from pipeline.stages.weizmann_source import FOLDERS, MASKS

Masks = Mapping[str, NDArray[np.uint8]]
FETCH = "manex fetch weizmann"
TOLD = {
    "avi": "original videos, cropped around the person",
    "avi without masks": "original videos, central square (no masks to crop by)",
    "strips": "64x64 crops that follow the person",
    "masks": "silhouettes, not the videos themselves",
}


def weizmann_videos(cfg: Weizmann, folder: Path) -> tuple[ClipVideos, str]:
    """What data/raw/weizmann holds as videos, and what that was.

    Raises:
        UserError: not fetched, damaged, or not what `cfg` asks for; ValueError: a setting does not fit, by its name.
    """
    source = read_json(folder / "source.json", FETCH, ("kind",))
    kind, files = source["kind"], source.get("files")
    if kind not in (*FOLDERS, "masks"):
        raise damaged(folder / "source.json", f"kind {kind!r}", FETCH)
    for name, digest in files.items() if isinstance(files, dict) else ():
        if not (folder / name).is_file() or sha256(folder / name) != digest:
            raise damaged(folder / name, "not the bytes that were fetched", FETCH)
    if kind == "masks":
        clips, told = _silhouettes(cfg, folder), kind
    else:
        clips, told = _pictured(kind, cfg, folder)
    made = weizmann(clips, cfg)
    trained = f"{len(made.frames)} frames of {len(clips)} clips"
    return made, f"action {cfg.action}, {len(made.videos)} people: {TOLD[told]}; {trained}"


def own_videos(cfg: OwnFrames, root: Path) -> tuple[ClipVideos, str]:
    """One video from each clip of the user's, in the order of their names.

    Raises:
        UserError: no clips, one that cannot be read, or too short; ValueError: a setting does not fit, by its name.
    """
    path = root / cfg.path
    if not path.exists():
        raise ValueError(f"path: {cfg.path} is not there (looked in {root.resolve()})")
    files = _own_clips(path)
    if not files:
        kinds = ", ".join((*PICTURES, *VIDEOS))
        raise ValueError(f"path: {cfg.path} holds no clips: folders of pictures, or videos ({kinds})")
    clips = []
    for file in files:
        pictures = read_pictures(file) if file.is_dir() else read_video(file)
        clip, span = whole(pictures, cfg.size, cfg.colour == "rgb"), (cfg.frames - 1) * cfg.stride + 1
        if len(clip) < span:
            raise UserError(f"{file}: {len(clip)} frame(s); {cfg.frames} frames at stride {cfg.stride} need {span}")
        clips.append(clip)
    made = clip_videos(clips, range(len(clips)), cfg.frames, cfg.stride, cfg.seed)
    return made, f"{len(clips)} clips of one's own, {len(made.frames)} frames"


def _own_clips(path: Path) -> list[Path]:
    """The clips below a path: itself, if it is a video or directly holds pictures."""
    if path.is_file():
        return [path]
    if _holds_pictures(path):
        return [path]
    inside = sorted(path.iterdir())
    return [file for file in inside if file.suffix.lower() in VIDEOS or (file.is_dir() and _holds_pictures(file))]


def _holds_pictures(folder: Path) -> bool:
    return any(file.suffix.lower() in PICTURES for file in folder.iterdir())


def _pictured(kind: str, cfg: Weizmann, folder: Path) -> tuple[dict[str, Frames], str]:
    name, suffix = FOLDERS[kind]
    files = {path.stem: path for path in (folder / name).glob(f"*{suffix}")}
    colour, told, clips = cfg.colour == "rgb", kind, {}
    masks = _masks(folder / MASKS, "original_masks") if kind == "avi" and (folder / MASKS).is_file() else None
    for clip in wanted(files, cfg):
        if kind == "strips":
            clips[clip] = whole(read_strip(files[clip]), cfg.size, colour)
        elif masks is None:
            told, clips[clip] = "avi without masks", whole(read_video(files[clip]), cfg.size, colour)
        elif clip not in masks:
            raise UserError(f"{folder / MASKS}: no mask of {clip}")
        else:
            try:
                clips[clip] = followed(read_video(files[clip]), masks[clip], cfg.size, colour)
            except ValueError as error:
                raise UserError(f"{folder / MASKS}: {clip}: {error}") from None
    return clips, told


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
    except Exception as error:  # the reader of a format that nobody vouches for fails in as many ways
        raise damaged(path, error or type(error).__name__, FETCH) from None
    if any(mask.ndim != 3 or mask.dtype != np.uint8 for mask in masks.values()):
        raise damaged(path, "not masks", FETCH)
    return masks

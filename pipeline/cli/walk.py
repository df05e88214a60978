"""A walk from two pictures of the user's own, and whether to trust it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from manex.arrays import Frames
from manex.denoisers.base import Denoiser
from manex.front.load import load
from manex.front.pictures import gif
from manex.front.trust import Trust
from manex.front.walk import FRAMES, walk
from pipeline.cli.pictures import frames_of, output
from pipeline.config.entries import Skipped, parse_entry
from pipeline.config.methods import MethodEntry
from pipeline.config.params import Params
from pipeline.errors import UserError
from pipeline.models.load import load_model
from pipeline.paths import Paths
from pipeline.settings import settings
from pipeline.stages.extrapolate import as_videos, states
from pipeline.storage.artifacts import replacing
from pipeline.storage.prepared import load_prepared

Pictures = tuple[Path, Path]


def walk_on(pictures: Pictures, to: Path, name: str, frames: int | None) -> Iterator[str]:
    """Write a GIF of the walk that begins with two pictures, by a denoiser that comes with the package.

    Yields:
        What was written, and what speaks for and against it.

    Raises:
        UserError: pictures that cannot be used.
    """
    to, denoiser = output(to, ".gif"), load(name).to(settings().prepare_torch())
    (first, second), told = frames_of(pictures, *denoiser.held_out.shape[1:3])
    walked = walk(denoiser, first[0], second[0], FRAMES if frames is None else frames)
    yield from _write(to, walked.video)
    yield from (*told, *walked.trust.lines())


def walk_here(
    pictures: Pictures, to: Path, where: tuple[str, str], changes: dict[str, Any], params: Params, paths: Paths
) -> Iterator[str]:
    """The same with a network that was trained in this project.

    Args:
        where: the dataset whose networks are used, and the method.
        changes: fields of the method's entry that are to have other values.

    Raises:
        UserError: pictures, a method or a model that cannot be used.
    """
    to, (name, method) = output(to, ".gif"), where
    entry = _entry(name, method, changes, params)
    dataset = load_prepared(name, paths)
    device = settings().prepare_torch()
    frames, told = frames_of(pictures, dataset.shape["channels"], dataset.shape["size"])
    model = load_model(name, method, entry, dataset, paths, device)
    given = torch.stack(frames, 1).to(device)
    video = as_videos(given, list(states(entry, model, given, [(0, 0)])))[0]
    yield from (*_write(to, video), *told)
    sigma = getattr(entry.settings, "sigma", None)
    if isinstance(model, Denoiser) and sigma is not None:
        yield from Trust.of(model, sigma, video, dataset.held_out_frames).lines()


def _write(to: Path, video: Frames) -> Iterator[str]:
    with replacing(to) as file:
        file.write_bytes(gif(video))
    yield f"{to}: {len(video)} frames of {video.shape[-1]} x {video.shape[-2]} pixels, of which the first two are yours"


def _entry(name: str, method: str, changes: dict[str, Any], params: Params) -> MethodEntry:
    entry = params.method(name, method)
    if isinstance(entry, Skipped):
        raise UserError(f"params.yaml: extrapolate.{name}.{method} is skipped: {entry.reason}")
    values = {**entry.model_dump(mode="json", exclude_none=True), **changes}
    changed = parse_entry(MethodEntry, values, f"extrapolate.{name}.{method}")
    assert isinstance(changed, MethodEntry)
    return changed

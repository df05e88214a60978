"""A walk from two pictures of the user's own, and whether to trust it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Generator, Tensor

from manex.datasets.dataset import Dataset
from manex.denoisers.base import Denoiser
from manex.geometry.products import Jacobian
from manex.geometry.tangent import retention
from manex.metrics.psnr import psnr
from manex.metrics.residual import Residual
from manex.noises.draws import noise_like
from pipeline.cli.pictures import frame_of, output
from pipeline.config.entries import Skipped, parse_entry
from pipeline.config.methods import MethodEntry
from pipeline.config.params import Params
from pipeline.errors import UserError
from pipeline.figures.moving import moving_picture
from pipeline.models.load import load_model
from pipeline.paths import Paths
from pipeline.settings import settings
from pipeline.stages.extrapolate import as_videos, states
from pipeline.storage.artifacts import replacing
from pipeline.storage.prepared import load_prepared

UNKNOWN = 3
"""Decibels below held-out frames from which on a denoiser does not know an image."""


def walk_pictures(
    pictures: tuple[Path, Path], to: Path, where: tuple[str, str], changes: dict[str, Any], params: Params, paths: Paths
) -> Iterator[str]:
    """Write a GIF of the walk that begins with two pictures.

    Args:
        where: the dataset whose networks are used, and the method.
        changes: fields of the method's entry that are to have other values.

    Yields:
        What was written, and what speaks for and against it.

    Raises:
        UserError: pictures, a method or a model that cannot be used.
    """
    to, (name, method) = output(to, ".gif"), where
    entry = _entry(name, method, changes, params)
    dataset = load_prepared(name, paths)
    device = settings().prepare_torch()
    first, second = (frame_of(path, dataset) for path in pictures)
    if torch.equal(first, second):
        raise UserError(f"{pictures[0]} and {pictures[1]} are the same image: a walk needs a motion to continue")
    model = load_model(name, method, entry, dataset, paths, device)
    given = torch.stack([first, second], 1).to(device)
    video = as_videos(given, list(states(entry, model, given, [(0, 0)])))[0].cpu()
    with replacing(to) as file:
        file.write_bytes(moving_picture({method: video}, ticks=len(video)))
    yield f"{to}: {len(video)} frames of {video.shape[-1]} x {video.shape[-2]} pixels, of which the first two are yours"
    sigma = getattr(entry.settings, "sigma", None)
    if isinstance(model, Denoiser) and sigma is not None:
        yield from _trust(model, sigma, given[0], video.to(device), dataset)


def _entry(name: str, method: str, changes: dict[str, Any], params: Params) -> MethodEntry:
    entry = params.method(name, method)
    if isinstance(entry, Skipped):
        raise UserError(f"params.yaml: extrapolate.{name}.{method} is skipped: {entry.reason}")
    values = {**entry.model_dump(mode="json", exclude_none=True), **changes}
    changed = parse_entry(MethodEntry, values, f"extrapolate.{name}.{method}")
    assert isinstance(changed, MethodEntry)
    return changed


def _trust(model: Denoiser, sigma: float, given: Tensor, video: Tensor, dataset: Dataset) -> Iterator[str]:
    """What the denoiser knows of the given frames, of their motion, and of the frames of the walk."""
    held_out = dataset.held_out_frames.to(given.device)
    here, known = psnr(model, given, sigma, draws=8), psnr(model, held_out, sigma)
    level = f"at sigma {255 * sigma:.3g}/255"
    if here < known - UNKNOWN:
        yield (
            f"warning: the denoiser does not know these pictures: {here:.1f} dB {level}, {known:.1f} dB on held-out "
            "frames. The walk may turn them into others; symmetry_flow with corrector: 0 does not"
        )
    else:
        yield f"the denoiser knows these pictures: {here:.1f} dB {level}, {known:.1f} dB on held-out frames"
    noisy = given[1:] + sigma * noise_like(given[1:], Generator().manual_seed(0), model.noise)
    kept = float(retention(Jacobian(model.at(sigma), noisy), given[1:] - given[:1])[1])
    told = "on the manifold" if kept >= 0.5 else "mostly off the manifold: expect another motion"
    yield f"their motion is {told}: the Jacobian keeps {kept:.0%} of it"
    if len(held_out):
        far = (Residual.of(model, held_out)(video) > 1).nonzero().flatten().tolist()
        yield (
            f"warning: from frame {far[0]} on, {len(far)} frames are farther from what the denoiser takes for images "
            "than 95 % of held-out frames (residual)"
            if far
            else "all frames are as near to the images it knows as held-out frames (residual)"
        )

"""Plug-in denoisers: found, built, filled with their weights, and tested before use."""

from __future__ import annotations

import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from manex.arrays import Frames
from manex.errors import GeometryError, GeometryWarning
from manex.geometry.probe import differ
from manex.geometry.products import Jacobian
from pipeline.config.plugins import FOLDER, PlugIn, PlugInCallable, PlugInDeepinv, PlugInDiffusers, located
from pipeline.errors import UserError, suggestion
from pipeline.models import own_modules
from pipeline.models.adapted import Adapted, OnArrays
from pipeline.models.libraries import deepinv_model, diffusers_model
from pipeline.models.own_state import undisturbed
from pipeline.models.weights import fill
from pipeline.paths import Paths

TRIED = 4
"""Frames that a denoiser is tested on."""


def load_plug_in(cfg: PlugIn, frames: Frames, sigma: float, paths: Paths, device: str, field: str) -> Adapted:
    """The denoiser that `cfg` describes, ready to use.

    Args:
        frames: clean frames of the dataset, to test it on.
        field: how params.yaml calls the section, for messages.

    Raises:
        UserError: it is not found, cannot be built, its weights do not fit, or it fails the test.
    """
    sigma_range: tuple[float, float] | None = None
    multiple = cfg.multiple
    channels: int | None = cfg.channels
    if isinstance(cfg, PlugInCallable):
        module: nn.Module = OnArrays(_function(cfg.target, paths, f"{field}.target"), cfg.arguments)
    elif isinstance(cfg, PlugInDiffusers):
        module, taken, least = diffusers_model(paths.root / located(cfg.weights), f"{field}.weights")
        channels, multiple = channels or taken, max(multiple, least)
        span = abs(cfg.range[1] - cfg.range[0])
        sigma_range = (module.sigma_range[0] / span, module.sigma_range[1] / span)
    elif isinstance(cfg, PlugInDeepinv):
        module = deepinv_model(cfg, field)
    else:
        build = _function(cfg.target, paths, f"{field}.target")
        with _blamed(f"{field}.target: {cfg.target}: {cfg.target.partition(':')[2]}({_shown(cfg.arguments)}) failed"):
            module = build(**cfg.arguments)
        if not isinstance(module, nn.Module):
            raise UserError(
                f"params.yaml: {field}.target: {cfg.target} returned {type(module).__name__}, not a torch.nn.Module; "
                "a function that denoises arrays itself is of kind: callable"
            )
    if not isinstance(cfg, PlugInCallable | PlugInDiffusers) and cfg.weights:
        fill(module, paths.root / located(cfg.weights), f"{field}.weights", cfg.strip, cfg.sha256)
    with _blamed(f"{field}: it cannot be moved to {device} and be prepared"):
        _prepare(module, device)
    try:
        denoiser = Adapted(
            module,
            predicts=cfg.predicts,
            conditioned=cfg.sigma == "value",
            value_range=cfg.range,
            channels=channels,
            multiple=multiple,
            homogeneous=cfg.homogeneous,
            sigma_range=sigma_range,
            differentiable=not isinstance(cfg, PlugInCallable),
        )
    except ValueError as error:
        raise UserError(f"params.yaml: {field}.{error}") from None
    _try(denoiser, frames[:TRIED].to(device), sigma, field)
    return denoiser


def _prepare(module: nn.Module, device: str) -> None:
    """Move it, and switch training off. Scripted modules have no `requires_grad_`, exported ones no `eval`."""
    module.to(device)
    for weight in module.parameters():
        weight.requires_grad_(False)
    try:
        module.eval()
    except NotImplementedError:
        for part in module.modules():
            part.training = False  # its graph is what it is; if it is of training, the test tells


def _function(target: str, paths: Paths, field: str) -> Callable[..., Any]:
    """What a target names."""
    source, _, name = target.partition(":")
    home = _file(paths.root, source, field) if source.endswith(".py") else _package(source, field)
    found = getattr(home, name, None)
    if not callable(found):
        known = [other for other, value in vars(home).items() if callable(value) and not other.startswith("_")]
        raise UserError(f'params.yaml: {field}: "{name}" is not a function of {source}{suggestion(name, known)}')
    return found  # type: ignore[no-any-return]


def _file(root: Path, source: str, field: str) -> ModuleType:
    path = root / located(source)
    if not path.is_file():
        there = sorted(p.relative_to(root / FOLDER).as_posix() for p in (root / FOLDER).rglob("*.py"))
        stray = f"; {source} lies outside: mv {source} {FOLDER}/" if (root / source).is_file() else ""
        close = stray or suggestion(source.removeprefix(f"{FOLDER}/"), there)
        raise UserError(f"params.yaml: {field}: {path} is not there{close}")
    with _blamed(f"{field}: {path} cannot be imported"):
        return own_modules.load(path)


def _package(source: str, field: str) -> ModuleType:
    with _blamed(f"{field}: {source} cannot be imported (a file is written with .py: {source}.py)"):
        return import_module(source)


@contextmanager
def _blamed(what: str) -> Iterator[None]:
    """Run the user's code: undo what it changes for everyone, and report what it raises in one line, with its place."""
    try:
        with undisturbed():
            yield
    except (Exception, SystemExit) as error:
        if isinstance(error, UserError):
            raise
        frame = traceback.extract_tb(error.__traceback__)[-1]
        reason = " ".join(str(error).split())[:300]
        place = f"{Path(frame.filename).name}, line {frame.lineno}"
        raise UserError(f"params.yaml: {what}: {type(error).__name__}: {reason} ({place})") from error


def _shown(arguments: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in arguments.items())


def _try(denoiser: Adapted, frames: Frames, sigma: float, field: str) -> None:
    """Reject a denoiser that would break a walk; warn about one that would merely walk badly."""
    noise = torch.randn(frames.shape, generator=torch.Generator().manual_seed(0)).to(frames)
    noisy = frames + sigma * noise
    other, louder = noisy.flip(0), noisy + sigma * noise
    at = f"on frames of shape {tuple(frames.shape)}"
    how = "channels, multiple and sigma say how it is called"
    with torch.no_grad(), _blamed(f"{field}: it failed {at}; {how}"):
        clean, again, alone = denoiser(noisy, sigma), denoiser(noisy, sigma), denoiser(noisy[:1], sigma)
        turned = denoiser(other, sigma)
    if not clean.isfinite().all():
        raise UserError(f"params.yaml: {field}: it returns NaN or infinity {at}; check its weights and its range")
    if not torch.equal(clean, again):
        raise UserError(f"params.yaml: {field}: it returns something else at every call; it must not draw noise")
    apart = not differ(clean[:1], alone)
    if apart and len(noisy) > 1 and torch.equal(clean, turned):
        raise UserError(
            f"params.yaml: {field}: it returns the same for other frames; results must not be kept by shape or address"
        )
    if not apart or differ(clean, turned.flip(0)):
        raise UserError(
            f"params.yaml: {field}: a frame gives another result alone than in a batch; each item of the batch, the "
            "first axis of (batch, channel, height, width), must be denoised on its own"
        )
    _differentiate(denoiser, noisy[:1], sigma, field)
    with torch.no_grad(), _blamed(f"{field}: it failed {at}"):
        denoiser(louder, sigma)
        again = denoiser(noisy, sigma)
    if not torch.equal(clean, again):
        raise UserError(
            f"params.yaml: {field}: it returns something else after other frames; it must not count its calls, nor "
            "keep a mean, a maximum or results of earlier ones"
        )
    error, before = _rms(clean - frames), _rms(noisy - frames)
    if error > before:
        other = frames - (2 * noisy - clean if denoiser.predicts == "noise" else noisy - clean)
        hint = f"; or does it predict the {_OTHER[denoiser.predicts]}?" if _rms(other) < before else ""
        warnings.warn(
            f"params.yaml: {field}: it leaves more noise than it takes at sigma {255 * sigma:g}/255 (RMS {error:.3f} "
            f"after, {before:.3f} before){hint}",
            stacklevel=3,
        )


_OTHER = {"image": "noise: write predicts: noise", "noise": "image: write predicts: image"}


def _differentiate(denoiser: Adapted, point: Frames, sigma: float, field: str) -> None:
    """Have its Jacobian products checked, and report what is inexact. The verdict holds for the walks that follow."""
    try:
        with warnings.catch_warnings(record=True) as said:  # those of its own were shown when it denoised
            warnings.simplefilter("always")
            jacobian = Jacobian(denoiser.at(sigma), point)
    except GeometryError as error:
        raise UserError(f"params.yaml: {field}: {error}") from None
    for warning in said:
        if issubclass(warning.category, GeometryWarning):
            warnings.warn(f"params.yaml: {field}: {warning.message}{_black_box(denoiser, jacobian)}", stacklevel=4)
    denoiser.differentiable = jacobian.exact


def _black_box(denoiser: Adapted, jacobian: Jacobian) -> str:
    switched = denoiser.differentiable and not jacobian.exact
    return "; a function of arrays is of kind: callable, which does not warn" if switched else ""


def _rms(difference: Tensor) -> float:
    return float(difference.square().mean().sqrt())

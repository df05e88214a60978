"""The report card: how far a denoiser is from the ideal one, E[x|y], from data alone.

Milanfar and Delbracio (2024, "Denoising: a powerful building block for imaging, inverse problems and machine learning",
arXiv 2409.06219) call a denoiser ideal if it leaves clean images alone and its Jacobian is symmetric. E[x|y] has more:

    E |y - D|^2 + E |D - x|^2 = N sigma^2,    sigma^2 E tr(J S) = E |D - x|^2,    E <D - x, D> = 0

(Stein 1981), with S = I for white noise, eigenvalues of J that are none below 0, and SURE, the estimate of the error
that needs no clean image, |y - D|^2 - N sigma^2 + 2 sigma^2 tr(J S), has the mean |D - x|^2 for any denoiser.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import Field
from torch import Generator, Tensor

from manex.analyses.base import Analysis, Rows, Subject
from manex.arrays import FrameMap, Frames, precise
from manex.datasets.dataset import Dataset
from manex.denoisers.base import Denoiser
from manex.errors import GeometryError, MetricError
from manex.geometry.conjugate import conjugated
from manex.geometry.products import Jacobian
from manex.geometry.tangent import asymmetry
from manex.metrics.psnr import decibels, psnr
from manex.noises.draws import noise_like
from manex.settings import GreyLevels

QUIET = 0.5 / 255
"""The noise level that a denoiser is given with a clean image."""
DIMMED = 0.5
"""Brightness at which a homogeneous denoiser does the same."""
RANGE = (-0.02, 1.02)
SPECTRUM = (-0.05, 1.05)
"""What counts as within the grey levels, and within the eigenvalues that a covariance between 0 and 1 has."""
BEST = 150.0
"""PSNR of what is exact, in dB: single precision tells no more."""
MOST = 1024
"""Pixels up to which the Jacobian is formed as a matrix."""
SPECTRAL = ("asymmetry", "eigenvalue_min", "eigenvalue_max", "outside")


class Card(Analysis):
    """Identities of the ideal denoiser at some noise levels, on held-out frames."""

    sigma: GreyLevels = Field((8 / 255, 25 / 255, 60 / 255), min_length=1, description="noise levels")
    images: int = Field(100, ge=1, description="held-out frames, evenly spread; as many training frames for PSNR")
    matrices: int = Field(8, ge=1, description="those of them at which the Jacobian is formed as a matrix")
    probes: int = Field(4, ge=1, description="random sign vectors per image for the trace of the Jacobian")


def card(subjects: Sequence[Subject], dataset: Dataset, cfg: Card) -> Iterator[Rows]:
    """`card`: one row per denoiser and level; `card_images`: one per image as well, in units of N sigma^2.

    Columns of `card`, each with its value for E[x|y] if that is known: `psnr_train`, `psnr`; `identity`, RMS of
    D(x) - x in 1/255 at half a grey level (0); `asymmetry` |J - J^T| / |J + J^T| (0); `eigenvalue_min`,
    `eigenvalue_max` of (J + J^T) / 2 over all images, and `outside`, the share beyond [-0.05, 1.05]; `homogeneity`
    |D(cy) - c D(y)| / |c D(y)| for c = 0.5, given c sigma; `range`, the share of pixels beyond [-0.02, 1.02] (0);
    `idempotence`, RMS of D(D(y)) - D(y) in 1/255; `monotone`, the share of images of which more is removed than at the
    next lower level; `orthogonality` <D - x, D> / (|D - x| |D|) (0); `level` |y - D| / (sigma sqrt(N)); `energy`,
    `calibration` and `sure` (1), the three identities above as ratios; `effective_dimension`, the trace of J.
    What cannot be known is NaN, and `note` says why. The noise is the same for all denoisers and levels.

    Raises:
        MetricError: no frame is held out.

    Example:
        >>> from manex import Dataset, Walker, walker
        >>> from manex.analyses.base import Subject
        >>> from manex.analyses.card import Card, card
        >>> from manex.denoisers.wiener import Wiener
        >>> dataset = Dataset.of(walker(Walker(people=4, frames=20, dense=40, size=16)), held_out=20)
        >>> subject = Subject("wiener", "wiener", Wiener(dataset.training_frames), sigma=0.0)
        >>> _, rows = card([subject], dataset, Card(sigma=(0.1,), images=20))
        >>> rows.columns["eigenvalue_min"][0] > -1e-5, rows.columns["eigenvalue_max"][0] < 1
        (True, True)
    """
    if not len(dataset.held_out_frames):
        raise MetricError("no frame is held out, so there is nothing to judge a denoiser by; set held_out above 0")
    numbers = _spread(len(dataset.held_out_frames), cfg.images)
    known = dataset.training_frames[_spread(len(dataset.training_frames), cfg.images)]
    for subject in subjects:
        clean, seen = dataset.held_out_frames[numbers].to(subject.device), known.to(subject.device)
        noise = noise_like(clean, Generator().manual_seed(0), subject.denoiser.noise)
        identity = 255 * _rms(_run(subject.denoiser.at(QUIET), clean) - clean)
        lower = None
        for sigma in sorted(cfg.sigma):
            look = _Look.at(subject.denoiser, sigma, clean, noise)
            spread, note = _geometry(look, cfg)
            names = {"denoiser": subject.label, "sigma_255": float(f"{255 * sigma:.12g}")}
            images = {"image": numbers, "error": look.error, "removed": look.removed, **spread}
            yield _rows("card_images", {**{key: [name] * len(clean) for key, name in names.items()}, **images})
            whole = {
                "psnr_train": min(psnr(subject.denoiser, seen, sigma), BEST),
                "psnr": min(float(decibels(look.error.mean() * sigma**2)), BEST),
                "identity": identity,
                **_spectral(spread),
                **_behaviour(look),
                "monotone": _rising(lower, look),
                **_identities(look, spread),
            }
            finite = {key: value if math.isfinite(value) else math.nan for key, value in whole.items()}
            yield _rows("card", {key: [value] for key, value in {**names, **finite, "note": note}.items()})
            lower = look


@dataclass(frozen=True)
class _Look:
    """What a denoiser makes of noisy images."""

    denoiser: Denoiser
    sigma: float
    clean: Frames
    noisy: Frames
    output: Frames

    @classmethod
    def at(cls, denoiser: Denoiser, sigma: float, clean: Frames, noise: Frames) -> _Look:
        noisy = clean + sigma * noise
        return cls(denoiser, sigma, clean, noisy, _run(denoiser.at(sigma), noisy))

    @property
    def error(self) -> Tensor:
        """|D - x|^2 / (N sigma^2) of each image."""
        return (self.output - self.clean).flatten(1).square().mean(1) / self.sigma**2

    @property
    def removed(self) -> Tensor:
        """|y - D|^2 / (N sigma^2)."""
        return (self.noisy - self.output).flatten(1).square().mean(1) / self.sigma**2


def _geometry(look: _Look, cfg: Card) -> tuple[dict[str, Tensor], str]:
    """`dimension`, tr J, and `trace`, tr(J S) / N, of each image; of a few the spectrum; what is missing, and why."""
    count = len(look.noisy)
    columns = {name: torch.full((count,), math.nan) for name in ("dimension", "trace", *SPECTRAL)}
    few, notes = _spread(count, cfg.matrices), []
    if look.denoiser.sigma_range and look.sigma > look.denoiser.sigma_range[1] * (1 + 1e-6):
        notes.append(f"it was trained on noise up to {255 * look.denoiser.sigma_range[1]:g}/255")
    try:
        columns["dimension"], columns["trace"] = _traces(Jacobian(look.denoiser.at(look.sigma), look.noisy), cfg.probes)
        jacobian = Jacobian(look.denoiser.at(look.sigma), look.noisy[few])
    except GeometryError as error:
        return columns, "; ".join([*notes, f"no Jacobian: {error}"])
    if not jacobian.has_transpose:
        notes.append("it is not differentiable: no asymmetry, no eigenvalues, the trace by finite differences")
    elif jacobian.dimension > MOST:
        columns["asymmetry"][few] = asymmetry(jacobian).cpu()
        notes.append(f"more than {MOST} pixels: no eigenvalues")
    else:
        for name, numbers in zip(SPECTRAL, _spectrum(precise(conjugated(jacobian).dense())), strict=True):
            columns[name][few] = numbers.float().cpu()
    return columns, "; ".join(notes)


def _traces(jacobian: Jacobian, probes: int) -> tuple[Tensor, Tensor]:
    """tr J and tr(J S) / N by random signs (Hutchinson), the same at every level."""
    points, law = jacobian.points, jacobian.law
    shape = (len(points), probes, *points.shape[1:])
    signs = torch.randint(0, 2, shape, generator=Generator().manual_seed(1)).to(points) * 2 - 1

    def trace(vectors: Tensor) -> Tensor:
        return (signs * jacobian.jvp(vectors)).flatten(2).sum(2).mean(1).cpu()

    dimension = trace(signs)
    coloured = law.colour(law.colour(signs.flatten(0, 1))).reshape(shape)
    return dimension, (dimension if law.is_white else trace(coloured)) / jacobian.dimension


def _spectrum(matrices: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The columns `SPECTRAL` of some matrices."""
    skew, twice = matrices - matrices.mT, matrices + matrices.mT
    values = torch.linalg.eigvalsh(twice / 2)
    beyond = ((values < SPECTRUM[0]) | (values > SPECTRUM[1])).double().mean(1)
    ratio = skew.flatten(1).norm(dim=1) / twice.flatten(1).norm(dim=1)
    return ratio, values[:, 0], values[:, -1], beyond


def _spectral(spread: dict[str, Tensor]) -> dict[str, float]:
    known = {name: spread[name][~spread[name].isnan()] for name in SPECTRAL}
    pool = {"eigenvalue_min": torch.min, "eigenvalue_max": torch.max}
    return {name: float(pool.get(name, torch.mean)(some)) if len(some) else math.nan for name, some in known.items()}


def _behaviour(look: _Look) -> dict[str, float]:
    dimmed = _run(look.denoiser.at(DIMMED * look.sigma), DIMMED * look.noisy)
    wanted = DIMMED * look.output
    beyond = (look.output < RANGE[0]) | (look.output > RANGE[1])
    return {
        "homogeneity": float((dimmed - wanted).norm() / wanted.norm()),
        "range": float(beyond.float().mean()),
        "idempotence": 255 * _rms(_run(look.denoiser.at(look.sigma), look.output) - look.output),
    }


def _rising(lower: _Look | None, look: _Look) -> float:
    """The share of images of which more is removed than at a lower level."""
    if lower is None:
        return math.nan
    return float((look.removed * look.sigma**2 > lower.removed * lower.sigma**2).float().mean())


def _identities(look: _Look, spread: dict[str, Tensor]) -> dict[str, float]:
    error, removed, trace = look.error.mean().cpu(), look.removed.mean().cpu(), spread["trace"].mean()
    lost = look.output - look.clean
    return {
        "orthogonality": float((lost * look.output).sum() / (lost.norm() * look.output.norm())),
        "level": float(removed.sqrt()),
        "energy": float(removed + error),
        "calibration": float(trace / error),
        "sure": float((removed - 1 + 2 * trace) / error),
        "effective_dimension": float(spread["dimension"].mean()),
    }


@torch.no_grad()
def _run(denoiser: FrameMap, frames: Frames) -> Frames:
    return torch.cat([denoiser(part) for part in frames.split(256)])


def _rms(frames: Frames) -> float:
    return float(frames.square().mean().sqrt())


def _spread(there: int, wanted: int) -> Tensor:
    """Numbers of up to so many items, evenly spread."""
    return torch.linspace(0, there - 1, min(there, wanted)).round().long()


def _rows(table: str, columns: dict[str, Any]) -> Rows:
    return Rows(
        table, {name: value.tolist() if isinstance(value, Tensor) else value for name, value in columns.items()}
    )

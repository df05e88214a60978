"""The symmetries in the tangent spaces of a denoiser, of local PCA, and of the true manifold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import torch
from pydantic import Field, PositiveInt
from torch import Generator

from manex.analyses.base import Analysis, Pictures, Rows, Subject
from manex.arrays import Frames, Vectors
from manex.datasets.dataset import Dataset
from manex.datasets.manifold import true_tangents
from manex.geometry.fields import Local, grid
from manex.geometry.symmetry import Symmetries, denoiser_tangents, neighbour_tangents, symmetries
from manex.motion.generated import Flow

WANTED = 6
"""Eigenvalues reported."""


class Symmetry(Analysis):
    """Generators (Lie PCA: Cahill, Mixon, Parshall 2023) by their source of tangent spaces and the number of frames."""

    radius: PositiveInt = Field(2, description="a pixel reads (2 radius + 1)^2 neighbours")
    degree: int = Field(1, ge=0, description="of the weights as polynomials of the place; 1: affine motions")
    frames: tuple[PositiveInt, ...] = Field((50, 100, 150), min_length=1, description="numbers of training frames")
    axes: PositiveInt = Field(1, description="dimension of the tangent spaces")
    neighbours: int = Field(2, ge=2, description="nearest training frames per tangent space of local PCA")
    shown: PositiveInt = Field(4, description="frames drawn with A u")


def symmetry(subjects: Sequence[Subject], dataset: Dataset, cfg: Symmetry) -> Iterator[Rows | Pictures]:
    """One row per eigenvalue: of each denoiser, then of local PCA and of the true tangents, where they are known.

    Where there are several symmetries, also the coefficients of their Lie brackets: how far the motions depend on their
    order, and whether a further one is missing.

    The pictures are those of the first denoiser's best generator: A u, and the motion of the plane in pixels.
    """
    known = dataset.training_frames
    order = torch.randperm(len(known), generator=Generator().manual_seed(0))
    some = known[order[: max(cfg.frames)]]
    for subject in subjects:
        spaces = denoiser_tangents(subject.denoiser.at(subject.sigma), subject.sigma, some.to(subject.device), cfg.axes)
        found = _found(some, spaces, cfg)
        yield from _tables(found, some, subject.name, subject.label, 255 * subject.sigma)
        if subject is subjects[0]:
            yield _pictures(found[-1], some[: cfg.shown])
    spaces = neighbour_tangents(some, cfg.neighbours, min(cfg.axes, cfg.neighbours), known)
    yield from _tables(_found(some, spaces, cfg), some, "", "local PCA", 0.0)
    if dataset.manifolds and bool(torch.isin(_codes(some), _codes(dataset.videos.flatten(0, 1))).all()):
        yield from _tables(_found(some, _true(some, dataset), cfg), some, "", "true tangents", 0.0)


def _found(some: Frames, spaces: Vectors, cfg: Symmetry) -> list[Symmetries]:
    """By rising numbers of frames."""
    counts = sorted({min(count, len(some)) for count in cfg.frames})
    return [symmetries(Local(cfg.radius, cfg.degree), some[:n], spaces[:n], WANTED) for n in counts]


def _tables(found: Sequence[Symmetries], frames: Frames, walk: str, source: str, sigma: float) -> Iterator[Rows]:
    for one in found:
        names = {"walk": walk, "tangents": source, "sigma_255": sigma, "frames": len(one.residuals)}
        yield _rows("generators", names, _eigenvalues(one))
        if one.count > 1:
            yield _rows("brackets", names, _brackets(one.first(one.count), (frames.shape[2], frames.shape[3])))


def _rows(table: str, names: dict[str, Any], columns: dict[str, Sequence[Any]]) -> Rows:
    size = len(next(iter(columns.values())))
    return Rows(table, {**{name: [value] * size for name, value in names.items()}, **columns})


def _eigenvalues(found: Symmetries) -> dict[str, Sequence[Any]]:
    size = len(found.values)
    return {
        "k": list(range(1, size + 1)),
        "eigenvalue": found.values.tolist(),
        "skew": found.skew.tolist(),
        "symmetries": [found.count] * size,
    }


def _brackets(found: Symmetries, size: tuple[int, int]) -> dict[str, Sequence[Any]]:
    """[A_i, A_j] = sum_k coefficient A_k + rest, and the share of the rest."""
    columns: dict[str, list[Any]] = {name: [] for name in ("i", "j", "k", "coefficient", "rest")}
    for i, j in combinations(range(len(found.values)), 2):
        coefficients, rest = Flow(found, size).bracket(i, j)
        for k, coefficient in enumerate(coefficients.tolist()):
            for name, value in zip(columns, (i + 1, j + 1, k + 1, coefficient, rest), strict=True):
                columns[name].append(value)
    return dict(columns)


def _pictures(found: Symmetries, frames: Frames) -> Pictures:
    height, width = frames.shape[2:]
    best = found.first(1)
    assert isinstance(best.fields, Local)
    motion = best.fields.velocity(best.weights, grid(height, width), (height, width))[0, 0]
    return Pictures({"frames": frames, "moved": best.along(frames)[:, 0].float(), "motion": motion.float()})


def _true(frames: Frames, dataset: Dataset) -> Vectors:
    """The tangent of the manifold that each frame lies on."""
    far = torch.stack([torch.cdist(frames.flatten(1), m.frames.flatten(1)).amin(1) for m in dataset.manifolds], 1)
    nearest = far.argmin(1)
    tangents = [true_tangents(dataset.manifolds[int(m)], f[None]) for m, f in zip(nearest, frames, strict=True)]
    return torch.stack(tangents)


def _codes(frames: Frames) -> torch.Tensor:
    """A number for each frame, the same for the same frame."""
    weights = torch.rand(frames[0].numel(), generator=Generator().manual_seed(0), dtype=torch.float64)
    return (frames.flatten(1).double() * weights).sum(1)

"""Whether a way to multiply by a Jacobian is right: its products with random vectors against central differences.

Linearisation and autograd see operations, not values. What hides from them counts as constant: work under `no_grad`,
in numpy, in memory filled through a pointer. A wrong `backward` is believed. Next to a residual path nothing fails, and
J is the identity. Only values tell.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Generator, Tensor

from manex.arrays import FrameMap, Frames
from manex.errors import GeometryError, GeometryWarning
from manex.geometry.backends import Backend, FiniteDifference

_VECTORS = 2
_TRIES = 3
"""On so many points: next to a kink, differences may agree with each other but not with the derivative."""

_STEPS = ((8, 10), (6, 8), (4, 6), (2, 4), (10, 12))
"""Pairs of steps, 2^-k of the norm of the point. Large ones come early, and none is smaller: they must see the stairs
of rounded values, which are flat in between."""

_AGREE = 0.05
"""Steps whose differences are further apart measure curvature or rounding, not a slope."""

_RIGHT = 0.001
"""A product this close to a difference is right where the steps agree perfectly."""

_BEARABLE, _TOLD = 0.2, 0.02
"""Finite differences this far off, at kinks or with rounded values, are used; the error is told from the second on."""

_NO_SLOPE = "central differences at two steps never agree"


def complaint(build: Callable[[FrameMap, Frames], Backend], function: FrameMap, point: Frames) -> str | None:
    """What is wrong with the products of a backend near a point; None if nothing is.

    J v must be the central difference at the first two steps that agree, and J^T the transpose: <u, J v> = <J^T u, v>.

    Args:
        build: makes the backend.
        point: a batch of one.

    Raises:
        GeometryError: there are no two such steps.
    """
    told = None
    for seed in range(_TRIES):
        told = _fault(build, function, point, Generator().manual_seed(seed))
        if told is None:
            return None
    if told == _NO_SLOPE:
        raise GeometryError(f"the denoiser has no slope to measure: {told}; {COARSE}")
    return told


COARSE = (
    "does it round its values (to 8 bits, to half precision, by autocast), jump, or mix the items of a batch? "
    "It should compute each item in the dtype it is given"
)
"""What to do where even differences are wrong."""


def _fault(
    build: Callable[[FrameMap, Frames], Backend], function: FrameMap, point: Frames, generator: Generator
) -> str | None:
    point = _moved(function, point, generator)
    v, u = _normal(_VECTORS, point, generator), _normal(_VECTORS, point, generator)
    differences = _differences(function, point, v)
    if differences is None:
        return _NO_SLOPE
    coarse, fine, floor, rounded = differences
    backend = build(function, point)
    forth, inexact = backend.push(v).detach(), isinstance(backend, FiniteDifference)
    apart, size = _norms(coarse - fine), _norms(fine)
    off = torch.minimum(_norms(forth - coarse), _norms(forth - fine))
    right = 2 * apart + _RIGHT * size + floor
    if not bool((off <= (torch.maximum(right, _BEARABLE * size) if inexact else right)).all()):  # also if it is NaN
        return f"J v is {_share(off, size)} off central differences"
    if rounded or bool((off > torch.maximum(right, _TOLD * size)).any()):
        share = _share(torch.maximum(off, apart), size)
        told = f"its values are rounded or have kinks: J v and central differences at other steps are {share} apart"
        warnings.warn(told, GeometryWarning, stacklevel=5)
    if inexact:
        return None
    back = backend.pull(u).detach()
    error = (u.flatten(1) @ forth.flatten(1).mT - back.flatten(1) @ v.flatten(1).mT).abs()
    size = _norms(back)[:, None] * _norms(v) / point.numel() ** 0.5  # what <J^T u, v> is like
    if not bool((error <= 0.02 * size + apart + floor).all()):
        return f"J^T v is not the transpose of J v: <J^T u, v> is {_share(error, size)} off <u, J v>"
    return None


def _differences(function: FrameMap, point: Frames, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor, bool] | None:
    """Central differences along the vectors at the first two steps that agree, and what rounding makes of zeros.

    The last says whether smaller steps did not agree, which is what rounded values do.
    """
    found: dict[int, Tensor] = {}
    for pair in _STEPS:
        for k in pair:
            if k not in found:
                along = FiniteDifference(function, point, 2.0**-k).push
                found[k] = torch.cat([along(v[None]) for v in vectors])
        coarse, fine = (found[k] for k in pair)
        floor = 8 * torch.finfo(point.dtype).eps * 2 ** pair[1] * _norms(vectors)
        if bool((_norms(coarse - fine) <= _AGREE * torch.maximum(_norms(coarse), _norms(fine)) + floor).all()):
            return coarse, fine, floor, pair[0] < _STEPS[0][0]
    return None


def _moved(function: FrameMap, point: Frames, generator: Generator) -> Frames:
    """A point nearby, unless the function is not defined there.

    Clean frames lie on kinks, such as that of a relu on a black background, where no difference is the derivative.
    """
    shift = _normal(1, point, generator)
    moved = point + shift * (point.norm().clamp(min=1) / (4 * point.numel() ** 0.5))
    with torch.no_grad():
        return moved if bool(function(moved).isfinite().all()) else point


def _normal(count: int, point: Frames, generator: Generator) -> Tensor:
    return torch.randn(count, *point.shape[1:], generator=generator).to(point)


def _norms(frames: Tensor) -> Tensor:
    norms: Tensor = frames.flatten(1).norm(dim=1)
    return norms


def _share(part: Tensor, whole: Tensor) -> str:
    return f"{float((part / whole.clamp(min=torch.finfo(whole.dtype).tiny)).max()):.1%}"

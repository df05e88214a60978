"""Ways to multiply by a Jacobian, one class each; `products.py` chooses, checks, chunks and counts.

Each is built from a map and a batch of points. `push` gives J v and `pull` J^T v for tangents of shape
(vectors * points, channel, height, width), the vector index running slowest.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from manex.arrays import FrameMap, Frames
from manex.geometry.linearize import Linearization
from manex.geometry.probe import law_of, repeated


@runtime_checkable
class Backend(Protocol):
    """What `Jacobian` asks of a way to multiply."""

    def push(self, tangents: Tensor) -> Tensor:
        """J v."""

    def pull(self, cotangents: Tensor) -> Tensor:
        """J^T v."""


class Reverse:
    """Reverse mode: the graph is built once; J v is the transpose of v -> J^T v, itself taken by reverse mode."""

    def __init__(self, function: FrameMap, points: Frames) -> None:
        self._function, self._points = function, points
        with sdpa_kernel(SDPBackend.MATH):  # attention's fused kernels cannot be differentiated twice
            _, self._back = torch.func.vjp(function, points)[:2]
        self._forth: Callable[..., Any] | None = None

    def push(self, tangents: Tensor) -> Tensor:
        """J v, by differentiating J^T v with respect to v."""
        forth = self._forth
        if forth is None:
            _, forth = torch.func.vjp(lambda c: self._back(c)[0], torch.zeros_like(self._points))[:2]
            self._forth = forth
        return _each_vector(lambda t: forth(t)[0], tangents, len(self._points))

    def pull(self, cotangents: Tensor) -> Tensor:
        """J^T v."""
        return _each_vector(lambda c: self._back(c)[0], cotangents, len(self._points))


class Forward(Reverse):
    """Forward mode for J v (the network runs again for every batch of vectors), reverse mode for J^T v."""

    def push(self, tangents: Tensor) -> Tensor:
        """J v by dual numbers."""
        derivative = partial(torch.func.jvp, self._function, (self._points,))
        with warnings.catch_warnings():  # torch compiles its forward rules by its own deprecated jit on first use
            warnings.simplefilter("ignore", DeprecationWarning)
            return _each_vector(lambda t: derivative((t,))[1], tangents, len(self._points))


class FiniteDifference:
    """Central differences along v, for maps that autograd cannot see through. There is no J^T v.

    The step is relative to the norm of the point. The cube root of the precision, unless given, balances the rounding
    of D against the curvature along v.
    """

    def __init__(self, function: FrameMap, points: Frames, step: float | None = None) -> None:
        self._function, self._points = function, points
        size = points.flatten(1).norm(dim=1).clamp(min=1.0)
        self._step = ((step or torch.finfo(points.dtype).eps ** (1 / 3)) * size).reshape(-1, 1, 1, 1)

    def push(self, tangents: Tensor) -> Tensor:
        """J v, to about the precision to the power 2/3 where D is smooth."""
        t = by_vector(tangents, len(self._points))
        norm = t.flatten(2).norm(dim=2)[..., None, None, None]
        shift = self._step * t / norm.clamp(min=torch.finfo(t.dtype).tiny)
        function = repeated(self._function, len(t))
        with torch.no_grad():
            ahead, behind = (function((self._points + sign * shift).flatten(0, 1)).clone() for sign in (1, -1))
        slope: Tensor = by_vector(ahead - behind, len(self._points)) * norm / (2 * self._step)
        return slope.flatten(0, 1)

    def pull(self, cotangents: Tensor) -> Tensor:
        """Impossible from values of D alone."""
        raise NotImplementedError


class ClosedForm:
    """A denoiser that knows its own Jacobian: the method `jacobian_product(noisy, sigma, vectors)`.

    J = C S^-1 with a symmetric C, such as Cov[u|y] / sigma^2, and S of the denoiser's noise.
    """

    def __init__(self, function: FrameMap, points: Frames) -> None:
        bound: Any = function  # `products.py` has checked that it is a partial of such a denoiser
        self._product = partial(bound.func.jacobian_product, points, **bound.keywords)
        self._points, self._law = points, law_of(function)

    def push(self, tangents: Tensor) -> Tensor:
        """J v = C S^-1 v."""
        with torch.no_grad():
            vectors = by_vector(tangents, len(self._points)).transpose(0, 1)
            product: Tensor = self._product(vectors=vectors)
            return product.transpose(0, 1).flatten(0, 1)

    def pull(self, cotangents: Tensor) -> Tensor:
        """J^T v = S^-1 C v = S^-1 J (S v)."""
        colour, whiten = self._law.colour, self._law.whiten
        return whiten(whiten(self.push(colour(colour(cotangents)))))


BACKENDS: dict[str, Callable[[FrameMap, Frames], Backend]] = {
    "linearized": Linearization,
    "vjp": Reverse,
    "jvp": Forward,
    "finite_difference": FiniteDifference,
    "closed_form": ClosedForm,
}


def _each_vector(product: FrameMap, tangents: Tensor, points: int) -> Tensor:
    vectors = by_vector(tangents, points)
    try:
        result: Tensor = torch.func.vmap(product)(vectors)
    except RuntimeError:  # an operation that vmap does not know
        result = torch.stack([product(v) for v in vectors])
    return result.flatten(0, 1)


def by_vector(tangents: Tensor, points: int) -> Tensor:
    """Tangents with the vector axis split off: (vectors, points, channel, height, width)."""
    return tangents.reshape(-1, points, *tangents.shape[1:])

"""The Jacobian of a map of frames at a batch of points, as something to multiply vectors by."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import get_args

import torch
from torch import Tensor

from manex.arrays import FrameMap, Frames, Vectors
from manex.errors import GeometryError
from manex.geometry.backends import BACKENDS, Backend, by_vector
from manex.geometry.choice import BackendName, choose
from manex.geometry.linearize import Linearization
from manex.geometry.probe import at_points, check_unchanged, checked, law_of, refuse_training_mode
from manex.noises.base import Noise

_DENSE_LIMIT = 2**31  # bytes


class Jacobian:
    """J of `function` at each of `points`.

    `auto` takes, in this order, the first that applies. The figures are J v and J^T v against a plain forward, for the
    residual UNet at 20x20, 90 vectors, one thread, from `python -m benchmarks.geometry`.

    * `closed_form`: the denoiser's own formula (a `Denoiser` that has `jacobian_product`, bound by `.at(sigma)`).
    * `linearized`: the network runs once, then only its linear part for each vector (1.2 and 1.1).
    * `vjp`: reverse mode (3.8 and 1.7), for networks with an operation that `linearize.py` does not know.
    * `finite_difference` (2.0): for black boxes, with a warning unless the denoiser says that it is one
      (`differentiable` is False); no J^T v, and inexact.

    `jvp`, forward mode (4.3 and 1.7), is there for comparison.

    Linearisation and autograd take for constant what hides from them, such as work under `no_grad`. So the first time
    that a function is given, its backend is checked against central differences (`check.py`), for some ten forwards,
    and `auto` goes on to the next where it is wrong. The verdict is kept with the function object (the denoiser, for
    `denoiser.at(sigma)`, and about that sigma), and is checked again at the points of its 2nd, 4th, 8th, ...
    Jacobian. Networks made only of this library's and torch's own layers, without hooks, are not checked.

    Args:
        function: maps a batch of frames to frames of the same shape, each item on its own.
        points: where the Jacobian is taken, shape (batch, channel, height, width).
        backend: how to multiply; `auto` chooses.
        memory_limit: bytes the intermediate results may take together; work is cut into chunks to stay below (one point
            and one vector are the least that can be done at a time). Points that do not fit together are
            visited in groups, and the network runs again for each group at each call.

    Attributes:
        value: D(points).
        products: number of single products J v or J^T v so far.
        exact: False for finite differences.
        backend: the name of the backend in use.

    Raises:
        GeometryError: the function changes the shape, the dtype or the points themselves, mixes the items of the batch,
            returns NaN or infinity, is left in training mode,
            or is not differentiable although an exact backend was asked for; every backend that may be taken is wrong;
            or the values are too coarse to tell.

    Example:
        >>> from manex import DiracMixture, Jacobian
        >>> frames = torch.rand(20, 1, 4, 4, generator=torch.Generator().manual_seed(0))
        >>> jacobian = Jacobian(DiracMixture(frames).at(0.5), frames[:3])
        >>> jacobian.jvp(torch.ones(3, 2, 1, 4, 4)).shape, jacobian.backend, jacobian.products
        (torch.Size([3, 2, 1, 4, 4]), 'closed_form', 6)
    """

    def __init__(
        self, function: FrameMap, points: Frames, backend: BackendName = "auto", memory_limit: int = 2**29
    ) -> None:
        if backend not in get_args(BackendName):
            raise GeometryError(f"backend {backend!r} is unknown; take one of {', '.join(get_args(BackendName))}")
        refuse_training_mode(function)
        self.function = function
        self.points = points.detach()
        given = self.points.clone()
        self.products = 0
        self._limit = memory_limit
        self.backend, footprint, probe = choose(function, self.points, backend)
        # Half the limit for what is kept about the points, half for what passes through.
        items = max(1, memory_limit // (2 * footprint))
        self._group = min(len(points), items)
        self._vectors = max(1, items // self._group)
        self._kept: Backend | None = probe if len(points) <= min(2, self._group) else None
        values = [checked(self._evaluate(group), self.points[group]) for group in self._groups()]
        check_unchanged(self.points, given)
        self.value: Frames = torch.cat(values)

    @property
    def exact(self) -> bool:
        """Whether products are exact up to rounding."""
        return self.backend != "finite_difference"

    @property
    def has_transpose(self) -> bool:
        """Whether J^T v is available."""
        return self.exact

    @property
    def law(self) -> Noise:
        """With S of this law S^(-1/2) J S^(1/2) is symmetric, for a perfect denoiser (conjugate.py)."""
        return law_of(self.function)

    @property
    def is_symmetric(self) -> bool:
        """Whether J is symmetric by construction, not only for a perfect denoiser."""
        return self.backend == "closed_form" and self.law.is_white

    @property
    def dimension(self) -> int:
        """Number of pixels of a frame, over all channels."""
        return self.points[0].numel()

    def jvp(self, vectors: Vectors) -> Vectors:
        """J v for every vector at every point."""
        return self._multiply(vectors, lambda backend, t: backend.push(t))

    def vjp(self, vectors: Vectors) -> Vectors:
        """J^T v for every vector at every point.

        Raises:
            GeometryError: the backend is `finite_difference`.
        """
        if not self.has_transpose:
            raise GeometryError("finite differences give no J^T v; use jvp, or a differentiable denoiser")
        return self._multiply(vectors, lambda backend, t: backend.pull(t))

    def symmetric(self, vectors: Vectors) -> Vectors:
        """(J v + J^T v) / 2: two products per vector (one if J is symmetric by construction).

        A black box gives J v instead, and a warning.
        """
        if not self.has_transpose:
            warnings.warn("no J^T v from a black box: J v replaces (J v + J^T v) / 2, inexactly", stacklevel=2)
            return self.jvp(vectors)
        if self.is_symmetric:
            return self.jvp(vectors)
        return (self.jvp(vectors) + self.vjp(vectors)) / 2

    def dense(self) -> Tensor:
        """J as matrices, shape (batch, dimension, dimension).

        Raises:
            GeometryError: the matrices would not fit in two gigabytes.
        """
        n, batch = self.dimension, len(self.points)
        if batch * n * n * self.points.element_size() > _DENSE_LIMIT:
            raise GeometryError(
                f"{batch} dense Jacobians of {n} x {n} take more than two gigabytes; use an iterative solver"
            )
        basis = torch.eye(n, dtype=self.points.dtype, device=self.points.device)
        basis = basis.reshape(1, n, *self.points.shape[1:]).expand(batch, -1, -1, -1, -1)
        if self.has_transpose:
            return self.vjp(basis).flatten(2)
        return self.jvp(basis).flatten(2).mT

    def item(self, index: int) -> Jacobian:
        """The Jacobian at one of the points (its products are counted separately)."""
        one = slice(index, index + 1)
        return Jacobian(at_points(self.function, one), self.points[one], self.backend, self._limit)

    def _multiply(self, vectors: Vectors, product: Callable[[Backend, Tensor], Tensor]) -> Vectors:
        if vectors.shape[0] != len(self.points) or vectors.shape[2:] != self.points.shape[1:]:
            raise GeometryError(
                f"vectors of shape {tuple(vectors.shape)} do not match points of shape {tuple(self.points.shape)}; "
                "expected (batch, vector, channel, height, width)"
            )
        result = torch.empty_like(vectors, dtype=self.points.dtype)
        for backend, group in self._backends():
            for chunk in torch.split(torch.arange(vectors.shape[1]), self._vectors):
                tangents = vectors[group, chunk].to(self.points.dtype).detach().transpose(0, 1)
                images = product(backend, tangents.flatten(0, 1)).detach()
                result[group, chunk] = by_vector(images, images.shape[0] // len(chunk)).transpose(0, 1)
        self.products += vectors.shape[0] * vectors.shape[1]
        if not result.isfinite().all():
            raise GeometryError("a Jacobian product is not finite although D(y) is: check the vectors and the denoiser")
        return result

    def _backends(self) -> Iterator[tuple[Backend, slice]]:
        """Each group of points with its backend: built once if one group holds all, again each time if not."""
        for group in self._groups():
            yield self._kept or self._build(group), group

    def _groups(self) -> Iterator[slice]:
        for start in range(0, len(self.points), self._group):
            yield slice(start, start + self._group)

    def _build(self, group: slice) -> Backend:
        points = self.points[group]
        backend = BACKENDS[self.backend](at_points(self.function, group), points)
        if len(points) == len(self.points):
            self._kept = backend
        return backend

    def _evaluate(self, group: slice) -> Tensor:
        points = self.points[group]
        if self.backend == "linearized" and len(points) == len(self.points):
            recorded = self._kept or self._build(group)  # has run the network already
            if isinstance(recorded, Linearization):
                return recorded.value
        with torch.no_grad():
            return at_points(self.function, group)(points)

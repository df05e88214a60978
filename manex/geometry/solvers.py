"""Iterations that find the top eigenvectors of A = (J + J^T) / 2; `eigen.py` is the way in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from manex.arrays import Vectors, precise
from manex.errors import GeometryError
from manex.geometry.products import Jacobian

_LEAST_GAP = 1e-3  # eigenvalues closer than this are not distinguished
_LEAST_BLOCK = 2  # a Krylov space of one vector cannot see an eigenvalue twice

# A set of vectors is a matrix with one vector per row, (batch, k, dimension), in float64. Solvers return
# eigenvalues, vectors and residuals, with one eigenpair more than asked wherever there is one.
Rows = Float[Tensor, "batch k dimension"]
Pairs = tuple[Float[Tensor, "batch k"], Rows, Float[Tensor, "batch k"]]


class Symmetric:
    """v -> A v on rows, remembering how asymmetric J was on the way."""

    def __init__(self, jacobian: Jacobian, symmetrise: bool) -> None:
        self.jacobian, self.symmetrise = jacobian, symmetrise
        self._apart = precise(jacobian.points.new_zeros(len(jacobian.points)))
        self._together = self._apart.clone()

    def __call__(self, rows: Rows) -> Rows:
        """A v for each row v."""
        jacobian = self.jacobian
        vectors = rows.to(jacobian.points).reshape(*rows.shape[:2], *jacobian.points.shape[1:])
        if jacobian.is_symmetric or (self.symmetrise and not jacobian.has_transpose):
            return precise(jacobian.symmetric(vectors).flatten(2))
        if not self.symmetrise:
            product = jacobian.vjp if jacobian.has_transpose else jacobian.jvp
            return precise(product(vectors).flatten(2))
        forth, back = (precise(product(vectors).flatten(2)) for product in (jacobian.jvp, jacobian.vjp))
        self._apart += (forth - back).square().sum((1, 2))
        self._together += (forth + back).square().sum((1, 2))
        return (forth + back) / 2

    @property
    def asymmetry(self) -> Tensor:
        """|J - J^T| / |J + J^T| on the vectors seen; nan if J^T was never used."""
        if self.jacobian.is_symmetric:
            return torch.zeros_like(self._apart)
        return (self._apart / self._together).sqrt()

    def dense(self) -> Tensor:
        """A as matrices; exact whichever of J and J^T is available."""
        matrix = precise(self.jacobian.dense())
        self._apart += (matrix - matrix.mT).square().sum((1, 2))
        self._together += (matrix + matrix.mT).square().sum((1, 2))
        return (matrix + matrix.mT) / 2

    @property
    def cost(self) -> int:
        """Products per vector."""
        return 2 if self.symmetrise and self.jacobian.has_transpose and not self.jacobian.is_symmetric else 1


@dataclass(frozen=True)
class Start:
    """Where an iteration begins: the caller's vectors, then random ones."""

    jacobian: Jacobian
    given: Vectors | None
    generator: Generator

    def __call__(self, count: int) -> Rows:
        """That many vectors, not orthonormal."""
        points = self.jacobian.points
        shape = (len(points), count, self.jacobian.dimension)
        rows = torch.randn(shape, generator=self.generator, dtype=torch.float64).to(precise(points[:0]).device)
        if self.given is not None:
            known = min(count, self.given.shape[1])
            rows[:, :known] = precise(self.given[:, :known].flatten(2))
        return rows


@dataclass(frozen=True)
class Task:
    """What is asked of a solver: `k` pairs to the tolerance, and `wanted` (one more, if there is one) in all."""

    operator: Symmetric
    start: Start
    k: int
    wanted: int
    tolerance: float
    max_products: int

    @property
    def dimension(self) -> int:
        """Number of pixels."""
        return self.operator.jacobian.dimension

    def done(self, values: Tensor, residuals: Tensor) -> bool:
        """Whether the first k pairs are good enough at every point."""
        if values.shape[1] < self.wanted:
            return False
        if values.shape[1] == self.k:  # the whole space: there is nothing to separate it from
            gap = torch.ones_like(values[:, :1])
        else:
            gap = (values[:, self.k - 1 : self.k] - values[:, self.k : self.k + 1]).clamp(min=_LEAST_GAP)
        return bool((residuals[:, : self.k].norm(dim=1, keepdim=True) <= self.tolerance * gap).all())


def _exact(task: Task) -> Pairs:
    matrix = task.operator.dense()
    values, columns = torch.linalg.eigh(matrix)
    values, rows = values.flip(1)[:, : task.wanted], columns.mT.flip(1)[:, : task.wanted]
    return values, rows, (rows @ matrix - values[..., None] * rows).norm(dim=2)


def _krylov(task: Task) -> Pairs:
    """Block Krylov: span{X, A X, A^2 X, ...}, every new block orthogonal to all before it.

    The next block comes from the largest residuals of the wanted Ritz vectors. They lie in the space that the last
    image opens, and restarting from them needs nothing more than keeping fewer vectors. Small blocks need fewer
    products; large ones use the processor better, up to a total batch of about eight (measured). Closed forms are
    cheap, and may have eigenvalues that are exactly equal, so they get the full block.
    """
    jacobian = task.operator.jacobian
    least = task.wanted if jacobian.backend == "closed_form" else _LEAST_BLOCK
    block = min(task.wanted, max(least, -(-8 // len(jacobian.points))))
    begin = task.wanted if task.start.given is not None else block
    longest = max(16 * task.wanted, 96)
    basis = _orthonormal(task.start(begin))
    images = task.operator(basis)
    spent = begin
    while True:
        values, rows, residual, mix = _rayleigh_ritz(basis, images, task.wanted)
        norms = residual.norm(dim=2)
        room = min(block, task.dimension - basis.shape[1])
        if task.done(values, norms) or room == 0 or (spent + room) * task.operator.cost > task.max_products:
            return values, rows, norms
        if basis.shape[1] + room > longest:
            basis, images = mix @ basis, mix @ images
        worst = norms.topk(min(room, norms.shape[1]), dim=1).indices
        fresh = _orthonormal(residual.gather(1, worst[..., None].expand(-1, -1, task.dimension)), basis)
        basis, images = torch.cat([basis, fresh], dim=1), torch.cat([images, task.operator(fresh)], dim=1)
        spent += fresh.shape[1]


def _subspace(task: Task) -> Pairs:
    """Block power iteration with Rayleigh-Ritz; a few vectors more than asked speed it up."""
    block = min(task.wanted + 4, task.dimension)
    basis = _orthonormal(task.start(block))
    spent = 0
    while True:
        images = task.operator(basis)
        spent += block
        values, rows, residual, mix = _rayleigh_ritz(basis, images, block)
        norms = residual.norm(dim=2)
        if task.done(values, norms) or spent * task.operator.cost >= task.max_products:
            return values[:, : task.wanted], rows[:, : task.wanted], norms[:, : task.wanted]
        basis = _orthonormal(mix @ images)


def _deflated(task: Task) -> Pairs:
    """The paper's Algorithm 4 with the corrected operator: v <- v - J_phi v = J_D v, then against those found.

    As there, J and not A is iterated, one vector after the other, until it moves less than the tolerance.
    The paper starts from the image itself, which is a top eigenvector of a homogeneous denoiser; a random start
    has no such blind spot.
    """
    jacobian, found = task.operator.jacobian, task.start(0)
    begin = task.start(task.wanted)
    for i in range(task.wanted):
        v = _orthonormal(begin[:, i : i + 1], found)
        for _ in range(max(1, task.max_products // task.wanted)):
            frames = v.to(jacobian.points).reshape(len(v), 1, *jacobian.points.shape[1:])
            before, v = v, _orthonormal(precise(jacobian.jvp(frames).flatten(2)), found)
            if bool(((v - before).norm(dim=2) <= task.tolerance).all()):
                break
        found = torch.cat([found, v], dim=1)
    images = task.operator(found)
    values = (found * images).sum(2)
    order = values.argsort(dim=1, descending=True)
    residuals = (images - values[..., None] * found).norm(dim=2)
    rows = found.gather(1, order[..., None].expand_as(found))
    return values.gather(1, order), rows, residuals.gather(1, order)


def _lanczos(task: Task) -> Pairs:
    """scipy's implicitly restarted Lanczos, one point and one product at a time."""
    from scipy.sparse.linalg import LinearOperator, eigsh  # slow to import, and only wanted here

    jacobian = task.operator.jacobian
    if task.wanted >= task.dimension:
        raise GeometryError(f"lanczos finds fewer than {task.dimension - 1} of {task.dimension} vectors; take exact")
    begin, pairs = task.start(1), []
    for i in range(len(jacobian.points)):
        single = Symmetric(jacobian.item(i), task.operator.symmetrise)

        def matvec(v: object, single: Symmetric = single) -> object:
            return single(torch.as_tensor(v).reshape(1, 1, -1)).reshape(-1).numpy()

        n, start, tolerance = task.dimension, begin[i, 0].numpy(), task.tolerance * _LEAST_GAP
        operator = LinearOperator((n, n), matvec=matvec, dtype="float64")  # type: ignore[call-arg,misc]
        values, columns = eigsh(operator, k=task.wanted, which="LA", v0=start, tol=tolerance)
        order = values.argsort()[::-1].copy()
        rows = torch.from_numpy(columns.T[order].copy())[None]
        value = torch.from_numpy(values[order])[None]
        residual = (single(rows) - value[..., None] * rows).norm(dim=2)
        pairs.append((value, rows, residual))
        jacobian.products += single.jacobian.products
    values, rows, residuals = (torch.cat(parts) for parts in zip(*pairs, strict=True))
    return values, rows, residuals


SOLVERS: dict[str, Callable[[Task], Pairs]] = {
    "exact": _exact,
    "krylov": _krylov,
    "subspace": _subspace,
    "deflated": _deflated,
    "lanczos": _lanczos,
}


def _rayleigh_ritz(basis: Rows, images: Rows, count: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Best eigenpairs within span(basis): values, vectors, residuals, and the mix of basis rows that gives them."""
    small = basis @ images.mT
    values, columns = torch.linalg.eigh((small + small.mT) / 2)
    values, mix = values.flip(1)[:, :count], columns.mT.flip(1)[:, :count]
    rows = mix @ basis
    return values, rows, mix @ images - values[..., None] * rows, mix


def _orthonormal(rows: Rows, against: Float[Tensor, "batch found dimension"] | None = None) -> Rows:
    """An orthonormal basis of the rows, orthogonal to those of `against`.

    Three passes: two are enough for rows of full rank, and rows without any (an exhausted space) become arbitrary
    directions in the first.
    """
    for _ in range(3 if against is not None and against.shape[1] else 1):
        if against is not None and against.shape[1]:
            rows = rows - (rows @ against.mT) @ against
        rows = torch.linalg.qr(rows.mT)[0].mT
    return rows


def positive(rows: Tensor) -> Tensor:
    """Eigenvectors have no sign: make the largest entry of each positive, so that all solvers agree."""
    return rows * rows.gather(2, rows.abs().argmax(dim=2, keepdim=True)).sign()

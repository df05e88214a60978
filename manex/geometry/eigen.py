"""Top eigenvectors of the symmetric part of a denoiser's Jacobian: its tangent space.

J_D = Cov[u|y] / sigma^2 has eigenvalues near 1 along the image manifold and near 0 across it. A trained J_D is only
nearly symmetric, so everything here is about A = (J + J^T) / 2. For a denoiser of coloured noise J~ takes the place of
J (conjugate.py), and its eigenvectors are mapped back to images. All solvers but `lanczos` work on every point at once.
Their small algebra is in float64, whatever the network's precision.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from manex.arrays import Vectors
from manex.errors import GeometryError
from manex.geometry.conjugate import Conjugated, conjugated, tangents
from manex.geometry.products import Jacobian
from manex.geometry.solvers import SOLVERS, Start, Symmetric, Task, positive

SolverName = Literal["krylov", "subspace", "exact", "deflated", "lanczos"]


@dataclass(frozen=True)
class FixedRank:
    """K vectors, always."""

    most: int

    def size(self, values: Tensor) -> Tensor:
        """K for each row of descending eigenvalues."""
        return torch.full((len(values),), self.most)


@dataclass(frozen=True)
class Threshold:
    """As many vectors as have an eigenvalue above `value`, at least one, at most `most`."""

    value: float = 0.5
    most: int = 16

    def size(self, values: Tensor) -> Tensor:
        """K for each row of descending eigenvalues."""
        return (values[:, : self.most] > self.value).sum(1).clamp(min=1)


@dataclass(frozen=True)
class LargestGap:
    """The vectors before the largest drop between neighbouring eigenvalues, at most `most`."""

    most: int = 16

    def size(self, values: Tensor) -> Tensor:
        """K for each row of descending eigenvalues."""
        drops = values[:, :-1] - values[:, 1:]
        return drops[:, : self.most].argmax(1) + 1


RankRule = FixedRank | Threshold | LargestGap


@dataclass(frozen=True)
class EigenSpace:
    """Top eigenpairs of A at each point, in descending order.

    Attributes:
        values: eigenvalues.
        vectors: orthonormal eigenvectors; the largest entry of each is positive. Under coloured noise the first k are
            an orthonormal basis of the first k eigenvectors of J~, mapped back.
        residuals: |A v - lambda v|; the sine of the angle to the true space is at most residual / gap.
        gap: the eigenvalue of the last vector kept minus the next one; infinite if there is no next.
        asymmetry: |J - J^T| / |J + J^T| on the vectors the solver used; nan where J^T was not.
        size: how many of the vectors the rank rule keeps; mask the others.
        products: single products J v and J^T v, over all points.
    """

    values: Float[Tensor, "batch k"]
    vectors: Float[Tensor, "batch k channel height width"]
    residuals: Float[Tensor, "batch k"]
    gap: Float[Tensor, " batch"]
    asymmetry: Float[Tensor, " batch"]
    size: Int[Tensor, " batch"]
    products: int

    @property
    def kept(self) -> Vectors:
        """The vectors with those beyond `size` set to zero: projections may use all rows alike."""
        mask = torch.arange(self.values.shape[1], device=self.values.device) < self.size[:, None]
        return self.vectors * mask[:, :, None, None, None]


def top_eigenspace(
    jacobian: Jacobian,
    rule: RankRule | int,
    solver: SolverName = "krylov",
    start: Vectors | None = None,
    tolerance: float = 1e-3,
    max_products: int = 1000,
    symmetrise: bool = True,
    generator: Generator | None = None,
) -> EigenSpace:
    """The top eigenvectors of A = (J + J^T) / 2 at every point of `jacobian`, of J~ where the noise is not white.

    Args:
        rule: how many vectors: a number, or a rule on the eigenvalues.
        solver: `krylov` (block Krylov space, full reorthogonalisation: fewest products), `subspace` (block power
            iteration with Rayleigh-Ritz), `exact` (dense), `deflated` (the paper's Algorithm 4, one vector after the
            other, with J_D in place of J_phi), `lanczos` (scipy's eigsh, point by point: the reference).
        start: vectors to begin with, such as the last frame's space; missing ones are drawn.
        tolerance: stop when every residual is below `tolerance` times the gap, which bounds the sine of the angle to
            the true space (Davis and Kahan); gaps count as at least 0.001. `deflated` stops when a vector
            moves by less than this.
        max_products: give up, per point, after so many products; the residuals then say how far it got.
        symmetrise: False multiplies by J^T only (J for a black box), at half the cost: right where the asymmetry is
            negligible.
        generator: source of the random start; the default is seeded, so that equal calls give equal results.

    Raises:
        GeometryError: more vectors than dimensions or than `max_products` can find, none at all, or a start that does
            not fit the points.

    Example:
        >>> from manex import DiracMixture, Jacobian, top_eigenspace
        >>> line = torch.linspace(0, 1, 50).reshape(-1, 1, 1, 1) * torch.ones(1, 1, 4, 4)
        >>> space = top_eigenspace(Jacobian(DiracMixture(line).at(0.1), line[25:26]), 2)
        >>> [round(float(value), 2) for value in space.values[0]]
        [1.0, 0.0]
    """
    rule = FixedRank(rule) if isinstance(rule, int) else rule
    n = jacobian.dimension
    if not 1 <= rule.most <= n:
        raise GeometryError(f"{rule.most} eigenvectors asked of a space of {n} dimensions; take 1 to {n}")
    if solver not in get_args(SolverName):
        raise GeometryError(f"solver {solver!r} is unknown; take one of {', '.join(get_args(SolverName))}")
    if start is not None and (len(start) != len(jacobian.points) or start.shape[2:] != jacobian.points.shape[1:]):
        raise GeometryError(f"start of shape {tuple(start.shape)} for points of {tuple(jacobian.points.shape)}")
    spent = jacobian.products
    acting = conjugated(jacobian)
    operator = Symmetric(acting, symmetrise)
    wanted = min(rule.most + 1, n)  # one more, for the gap
    begin = acting.out(start) if isinstance(acting, Conjugated) and start is not None else start
    draw = Start(acting, begin, generator or Generator().manual_seed(0))
    task = Task(operator, draw, rule.most, wanted, tolerance, max_products)
    pairs = SOLVERS[solver](task)
    values, rows, residuals = (t.to(jacobian.points) for t in pairs)
    if values.shape[1] < rule.most:
        raise GeometryError(f"max_products {max_products} is too little to find {rule.most} eigenvectors")
    size = rule.size(values).to(values.device)
    after = torch.cat([values, values.new_full((len(values), 1), -torch.inf)], dim=1)
    gap = values.gather(1, size[:, None] - 1) - after.gather(1, size[:, None])
    k = rule.most
    vectors = tangents(acting, rows[:, :k].reshape(-1, k, *jacobian.points.shape[1:]))
    return EigenSpace(
        values=values[:, :k],
        vectors=positive(vectors.flatten(2)).reshape(vectors.shape),
        residuals=residuals[:, :k],
        gap=gap[:, 0],
        asymmetry=operator.asymmetry.to(values),
        size=size,
        products=jacobian.products - spent,
    )

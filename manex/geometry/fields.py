"""Linear spaces of vector fields on images, in which `symmetry.py` looks for generators.

A field v(u) = sum_j b_j F_j(u) is linear in its weights b, and in u or affine in it. All algebra is in float64.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from scipy.sparse.linalg import LinearOperator, lobpcg  # type: ignore[attr-defined]
from torch import Tensor
from torch.nn.functional import conv2d, pad

from manex.arrays import Frames, Vectors, precise
from manex.errors import GeometryError

Weights = Float[Tensor, "field weight"]
Positions = Float[Tensor, "batch 2 height width"]
"""Where a pixel is read: column and row, in pixels."""

_CHUNK = 2**27  # bytes of features at a time
_DENSE = 1000  # unknowns up to which a dense eigenproblem is the quicker one
_SPARE = 4
"""Further vectors in a block, so that the wanted ones converge soon."""


class Fields(ABC):
    """A linear space of vector fields on images."""

    def seen(self, tangents: Vectors) -> Vectors:
        """Tangent spaces as far as these fields can point into them, orthonormal rows, float64."""
        return host(tangents)

    @abstractmethod
    def along(self, weights: Weights, frames: Frames) -> Vectors:
        """Every field at every frame, float64, (batch, field, channel, height, width)."""

    @abstractmethod
    def kept(self, frames: Frames, tangents: Vectors, wanted: int) -> tuple[Float[Tensor, " field"], Weights]:
        """The fields of which the tangent spaces keep most, and which share: sum_i |P_i v(u_i)|^2 / sum_i |v(u_i)|^2.

        Args:
            tangents: as `seen` gives them: orthonormal rows T_i, P_i = T_i^T T_i.
            wanted: number of fields; there may be fewer.
        """


class Linear(Fields):
    """v(u) = A u for any matrix A on the principal coordinates of some frames: knows no image plane.

    Inputs are whitened, so that the rare coordinates of an image count as the frequent ones do.

    Args:
        frames: (n, channel, height, width); their first principal axes, uncentred, span inputs and outputs.
        rank: number of axes, d; cut to the rank of the frames. d = pixels is all of the image.
        affine: v(u) = A u + a.
    """

    def __init__(self, frames: Frames, rank: int = 100, affine: bool = False) -> None:
        rows = host(frames).flatten(1)
        values, axes = _principal(rows)
        self.axes = axes[: min(rank, int((values > 1e-10 * values[0]).sum()))]
        self.shape, self.size = frames.shape[1:], float(rows.square().sum(1).mean().sqrt())
        self.affine = affine
        read = self._read(rows)
        values, found = torch.linalg.eigh(read.mT @ read)
        sure = values > 1e-12 * values[-1]
        self.whitening = found[:, sure] / values[sure].sqrt()

    def seen(self, tangents: Vectors) -> Vectors:
        """The tangent spaces projected onto the axes."""
        inner = host(tangents).flatten(2) @ self.axes.mT
        spaces: Tensor = torch.linalg.qr(inner.mT).Q.mT @ self.axes
        return unflat(spaces, self.shape)

    def along(self, weights: Weights, frames: Frames) -> Vectors:
        """Every field at every frame."""
        white = self._read(host(frames).flatten(1)) @ self.whitening
        matrices = weights.reshape(len(weights), len(self.axes), -1)
        moved: Tensor = torch.einsum("nw,fdw,dp->nfp", white, matrices, self.axes)
        return unflat(moved, self.shape)

    def kept(self, frames: Frames, tangents: Vectors, wanted: int) -> tuple[Float[Tensor, " field"], Weights]:
        """Matrix-free, by blocks, which also find eigenvalues that are the same (LOBPCG)."""
        white = self._read(host(frames).flatten(1)) @ self.whitening
        scale = white.mT @ white
        inner = tangents.flatten(2) @ self.axes.mT
        d, w = len(self.axes), white.shape[1]

        def product(flat: Any) -> Any:
            matrices = torch.as_tensor(flat.T.copy()).reshape(-1, d, w)
            shares = torch.einsum("nkd,fdw,nw->fnk", inner, matrices, white)
            return torch.einsum("fnk,nkd,nw->fdw", shares, inner, white).flatten(1).numpy().T

        if not torch.allclose(scale, torch.eye(w, dtype=scale.dtype), atol=1e-6):
            raise GeometryError("Linear is whitened by the frames it was made with: give the same ones")
        block = min(wanted + _SPARE, d * w)
        if d * w <= max(_DENSE, 5 * block):
            values, found = np.linalg.eigh(product(np.eye(d * w)))
        else:
            start = torch.randn(d * w, block, generator=torch.Generator().manual_seed(0), dtype=torch.float64).numpy()
            operator: Any = LinearOperator((d * w, d * w), matvec=product, matmat=product, dtype="float64")  # type: ignore[call-arg, misc]
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # the spare ones need not converge
                values, found = lobpcg(operator, start, tol=1e-8, maxiter=300)
        order = np.argsort(-values)[:wanted]
        return torch.from_numpy(values[order].copy()), torch.from_numpy(found[:, order].T.copy())

    def _read(self, rows: Tensor) -> Tensor:
        coordinates = rows @ self.axes.mT
        return torch.cat([coordinates, rows.new_full((len(rows), 1), self.size)], 1) if self.affine else coordinates


class Local(Fields):
    """v(u)(x) = sum_k a_k(x) u(x + k): each pixel reads its neighbours, with weights that are polynomials in x.

    The weights are those of a translation at degree 0, of any affine motion at degree 1. With so few unknowns a
    generator carries over to images that were never seen. All channels move alike; black is outside.

    Args:
        radius: k runs over (2 radius + 1)^2 neighbours.
        degree: of the polynomials.
        ridge: added to the normal matrix, relative to its mean diagonal.
    """

    def __init__(self, radius: int = 2, degree: int = 1, ridge: float = 1e-6) -> None:
        self.radius, self.degree, self.ridge = radius, degree, ridge
        self.side = 2 * radius + 1

    def along(self, weights: Weights, frames: Frames) -> Vectors:
        """Every field at every frame: a convolution for each monomial."""
        n, c, h, w = frames.shape
        monomials = self._monomials(grid(h, w), (h, w))
        kernels = weights.reshape(len(weights), self.side, self.side, -1).permute(0, 3, 1, 2)
        images = host(frames).reshape(n * c, 1, h, w)
        moved = conv2d(images, kernels.flatten(0, 1).unsqueeze(1), padding=self.radius)
        fields = (moved.reshape(n, c, len(weights), -1, h, w) * monomials).sum(3)
        return fields.transpose(1, 2)

    def kept(self, frames: Frames, tangents: Vectors, wanted: int) -> tuple[Float[Tensor, " field"], Weights]:
        """A dense generalised eigenproblem of as many unknowns as there are weights."""
        whole: Tensor | float = 0.0
        inside: Tensor | float = 0.0
        for some, features in self._features(frames):
            whole = whole + torch.einsum("npx,nqx->pq", features, features)
            shares = torch.einsum("npx,nkx->npk", features, tangents[some].flatten(2)).transpose(0, 1)
            inside = inside + shares.flatten(1) @ shares.flatten(1).mT
        assert isinstance(whole, Tensor)
        whole = whole + self.ridge * whole.diagonal().mean() * torch.eye(len(whole), dtype=whole.dtype)
        root = torch.linalg.cholesky(whole)
        half = torch.linalg.solve_triangular(root, inside, upper=False)
        values, found = torch.linalg.eigh(torch.linalg.solve_triangular(root, half.mT, upper=False))
        weights = torch.linalg.solve_triangular(root.mT, found, upper=True)
        return values.flip(0)[:wanted], weights.flip(1).mT[:wanted]

    def velocity(self, weights: Weights, at: Positions, size: tuple[int, int]) -> Float[Tensor, "field batch 2 h w"]:
        """The motion of the image plane in pixels per unit of time: v(u) = m . grad u + ..., m = sum_k a_k(x) k.

        exp(t v) u (x) = u(y(t)) with y' = m(y), y(0) = x, for fields that only move what they find.

        Args:
            at: where; anywhere, since polynomials have no border.
            size: height and width of the frames.
        """
        steps = torch.arange(-self.radius, self.radius + 1, dtype=torch.float64)
        taps = weights.reshape(len(weights), self.side, self.side, -1)
        columns = torch.einsum("fyxm,x->fm", taps, steps)
        rows = torch.einsum("fyxm,y->fm", taps, steps)
        monomials = self._monomials(host(at), size)
        return torch.einsum("afm,bmhw->fbahw", torch.stack([columns, rows]), monomials)

    def _features(self, frames: Frames) -> Iterator[tuple[slice, Float[Tensor, "n weight pixel"]]]:
        n, c, h, w = frames.shape
        monomials = self._monomials(grid(h, w), (h, w))[0]
        count = self.side**2 * len(monomials)
        chunk = max(1, _CHUNK // (8 * count * c * h * w))
        for begin in range(0, n, chunk):
            some = slice(begin, begin + chunk)
            wide = pad(host(frames[some]), (self.radius,) * 4)
            shifts = [wide[..., y : y + h, x : x + w] for y in range(self.side) for x in range(self.side)]
            read = torch.stack(shifts, 1).unsqueeze(2) * monomials[:, None]
            yield some, read.reshape(len(wide), count, -1)

    def _monomials(self, at: Positions, size: tuple[int, int]) -> Float[Tensor, "batch monomial h w"]:
        """x^a y^b, a + b <= degree, of coordinates that run from -1 to 1 over the frame."""
        x, y = ((2 * at[:, i] / max(extent - 1, 1) - 1) for i, extent in enumerate((size[1], size[0])))
        powers = [(a, b) for a in range(self.degree + 1) for b in range(self.degree + 1 - a)]
        return torch.stack([x**a * y**b for a, b in powers], 1)


def unflat(rows: Float[Tensor, "batch vector pixel"], shape: torch.Size) -> Vectors:
    """Rows as images."""
    return rows.reshape(*rows.shape[:2], *shape)


def host(tensor: Tensor) -> Tensor:
    """In float64 on the CPU, where all of this is computed: the matrices are small."""
    return precise(tensor).cpu()


def grid(height: int, width: int) -> Positions:
    """The places of all pixels, one item."""
    rows, columns = torch.meshgrid(
        torch.arange(height, dtype=torch.float64), torch.arange(width, dtype=torch.float64), indexing="ij"
    )
    return torch.stack([columns, rows])[None]


def _principal(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Squared singular values, descending, and right singular vectors, by the smaller Gram matrix."""
    if len(rows) >= rows.shape[1]:
        values, found = torch.linalg.eigh(rows.mT @ rows)
        return values.flip(0), found.flip(1).mT
    values, found = torch.linalg.eigh(rows @ rows.mT)
    scaled = found.mT @ rows
    return values.flip(0), (scaled / scaled.norm(dim=1, keepdim=True).clamp(min=1e-300)).flip(0)

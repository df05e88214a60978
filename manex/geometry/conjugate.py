"""The symmetric form of a Jacobian under coloured noise.

For y = u + sigma S^(1/2) z a perfect denoiser has J = Cov[u|y] S^-1 / sigma^2, which is not symmetric unless S = I. The
symmetric matrix with the same eigenvalues is J~ = S^(-1/2) J S^(1/2). J maps every direction into the tangent space as
it is; S^(1/2) times the top eigenvectors of J~ spans it.
"""

from __future__ import annotations

import torch
from torch import Tensor

from manex.arrays import FrameMap, Vectors
from manex.geometry.products import Jacobian
from manex.noises.base import Noise
from manex.noises.white import White


class Conjugated(Jacobian):
    """J~ of another Jacobian; products are counted there.

    Args:
        jacobian: J.
        noise: the law whose covariance is S.
    """

    def __init__(self, jacobian: Jacobian, noise: Noise) -> None:
        self.original, self.noise = jacobian, noise
        self.function, self.points, self.value = jacobian.function, jacobian.points, jacobian.value
        self.backend = jacobian.backend

    @property
    def law(self) -> Noise:
        """White: J~ is symmetric as it is."""
        return White()

    @property
    def products(self) -> int:
        """Number of single products of J so far."""
        return self.original.products

    @products.setter
    def products(self, count: int) -> None:
        self.original.products = count

    def jvp(self, vectors: Vectors) -> Vectors:
        """S^(-1/2) J S^(1/2) v."""
        return self.out(self.original.jvp(self.back(vectors)))

    def vjp(self, vectors: Vectors) -> Vectors:
        """S^(1/2) J^T S^(-1/2) v."""
        return self.back(self.original.vjp(self.out(vectors)))

    def item(self, index: int) -> Jacobian:
        """At one of the points."""
        return Conjugated(self.original.item(index), self.noise)

    def out(self, vectors: Vectors) -> Vectors:
        """S^(-1/2) v: from images to where J~ acts."""
        return _each(self.noise.whiten, vectors)

    def back(self, vectors: Vectors) -> Vectors:
        """S^(1/2) v: to images."""
        return _each(self.noise.colour, vectors)


def conjugated(jacobian: Jacobian) -> Jacobian:
    """J~, or J itself where the noise is white."""
    law = jacobian.law
    return jacobian if law.is_white else Conjugated(jacobian, law)


def tangents(jacobian: Jacobian, vectors: Vectors) -> Vectors:
    """Eigenvectors of `conjugated(...)` as orthonormal tangents of images; the first k stay the first k."""
    if not isinstance(jacobian, Conjugated):
        return vectors
    columns: Tensor = torch.linalg.qr(jacobian.back(vectors).flatten(2).mT)[0]
    return columns.mT.reshape(vectors.shape)


def _each(change: FrameMap, vectors: Vectors) -> Vectors:
    changed: Vectors = change(vectors.flatten(0, 1)).reshape(vectors.shape)
    return changed

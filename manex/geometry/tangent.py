"""What the tangent space of a denoiser says about a velocity, and how far it can be trusted."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from manex.arrays import Frames, Vectors, precise, unit
from manex.errors import GeometryError
from manex.geometry.conjugate import conjugated
from manex.geometry.eigen import EigenSpace
from manex.geometry.products import Jacobian

_DENSE_DIMENSION = 1024


def project(space: EigenSpace | Vectors, velocity: Frames) -> Frames:
    """V V^T v: the part of a velocity that lies in a tangent space.

    Args:
        space: orthonormal vectors (batch, k, channel, height, width); those beyond an `EigenSpace`'s size do not count.
        velocity: (batch, channel, height, width).

    Example:
        >>> from manex import project
        >>> axes = torch.eye(4).reshape(1, 4, 1, 2, 2)
        >>> project(axes[:, :2], torch.ones(1, 1, 2, 2)).flatten().tolist()
        [1.0, 1.0, 0.0, 0.0]
    """
    rows = _rows(space).to(velocity.dtype)
    coordinates = rows @ velocity.flatten(1).unsqueeze(2)
    return (rows.mT @ coordinates).reshape(velocity.shape)


def principal_angles(
    a: EigenSpace | Vectors, b: EigenSpace | Float[Tensor, "batch other channel height width"]
) -> Float[Tensor, "batch k"]:
    """Angles between two spaces in radians, ascending, from the sines: cosines lose angles below 1e-4 in float32.

    With fewer vectors in `a` than in `b`, the angles say how far `a` is from lying inside `b`.

    Raises:
        GeometryError: `a` has more vectors than `b`.

    Example:
        >>> from manex import principal_angles
        >>> axes = torch.eye(4).reshape(1, 4, 1, 2, 2)
        >>> principal_angles(axes[:, :2], axes[:, 1:3]).rad2deg().tolist()
        [[0.0, 90.0]]
    """
    inner, outer = precise(_rows(a)), precise(_rows(b))
    if inner.shape[1] > outer.shape[1]:
        raise GeometryError(f"{inner.shape[1]} vectors cannot lie in a space of {outer.shape[1]}; swap the arguments")
    outside = inner - (inner @ outer.mT) @ outer
    angles: Tensor = torch.linalg.svdvals(outside).clamp(max=1.0).asin()
    return angles.flip(1)


def angles_to(directions: Frames, tangents: Frames) -> Float[Tensor, " batch"]:
    """Angle between a direction of motion and the tangent line, 0 to 90 degrees."""
    cosine: Tensor = torch.cosine_similarity(directions.flatten(1), tangents.flatten(1)).abs()
    angles: Tensor = cosine.clamp(max=1).acos() * (180 / math.pi)
    return angles


def retention(jacobian: Jacobian, direction: Frames) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    """How well a denoiser keeps a motion t: (|J t - t| / |t|, |<J t, t>| / <t, t>); a perfect one gives (0, 1).

    Args:
        direction: one per point, (batch, channel, height, width), of any length above zero.

    Example:
        >>> from manex import Jacobian, retention
        >>> lost, kept = retention(Jacobian(lambda y: y / 2, torch.zeros(1, 1, 2, 2)), torch.ones(1, 1, 2, 2))
        >>> float(lost), float(kept)
        (0.5, 0.5)
    """
    t = direction.flatten(1)
    image = jacobian.jvp(direction.unsqueeze(1)).flatten(1)
    square = t.square().sum(1)
    return (image - t).norm(dim=1) / square.sqrt(), (image * t).sum(1).abs() / square


def effective_dimension(
    jacobian: Jacobian, probes: int | None = None, generator: Generator | None = None
) -> Float[Tensor, " batch"]:
    """trace(J): how many dimensions the denoiser lets through, softly counted.

    Args:
        probes: number of random sign vectors (Hutchinson); None: exact up to 1024 pixels, 64 probes beyond.
    """
    if probes is None and jacobian.dimension <= _DENSE_DIMENSION:
        return torch.einsum("bii->b", jacobian.dense())
    signs = _signs(jacobian, probes or 64, generator)
    return torch.einsum("bvn,bvn->b", signs.flatten(2), jacobian.jvp(signs).flatten(2)) / signs.shape[1]


def asymmetry(
    jacobian: Jacobian, probes: int | None = None, generator: Generator | None = None
) -> Float[Tensor, " batch"]:
    """|J - J^T| / |J + J^T| in Frobenius norm: 0 for a true posterior covariance; nan for a black box without J^T v.

    J~ takes the place of J where the noise is not white.

    Args:
        probes: as for `effective_dimension`; the expectation of |A z|^2 over random signs is |A|^2.
    """
    jacobian = conjugated(jacobian)
    if probes is None and jacobian.dimension <= _DENSE_DIMENSION:
        matrix = jacobian.dense()
        return _ratio(matrix - matrix.mT, matrix + matrix.mT)
    signs = _signs(jacobian, probes or 64, generator)
    if not jacobian.has_transpose:
        return torch.full((len(signs),), torch.nan).to(signs)
    forth, back = jacobian.jvp(signs), jacobian.vjp(signs)
    return _ratio(forth - back, forth + back)


def soft_projection(jacobian: Jacobian, velocity: Frames, products: int = 1) -> Frames:
    """J^q v: near the manifold J is itself a soft projector onto the tangent space, no eigenvectors needed.

    Args:
        velocity: one per point, (batch, channel, height, width).
        products: q.

    Raises:
        GeometryError: fewer than one product.

    Example:
        >>> from manex import Jacobian, soft_projection
        >>> jacobian = Jacobian(lambda y: y / 2, torch.zeros(1, 1, 2, 2))
        >>> float(soft_projection(jacobian, torch.ones(1, 1, 2, 2), products=3).mean())
        0.125
    """
    if products < 1:
        raise GeometryError(f"products={products}: a soft projection takes at least one")
    projected = velocity.unsqueeze(1)
    for _ in range(products):
        projected = jacobian.jvp(projected)
    return projected.squeeze(1)


def without_brightness(velocity: Frames, image: Frames) -> Frames:
    """Remove the component along the image itself.

    A homogeneous denoiser has D(y) = J y: the image is a top eigen-direction, which brightens and does not move.
    """
    return velocity - project(unit(image).unsqueeze(1), velocity)


def _ratio(a: Tensor, b: Tensor) -> Tensor:
    ratio: Tensor = a.flatten(1).norm(dim=1) / b.flatten(1).norm(dim=1)
    return ratio


def _rows(space: EigenSpace | Float[Tensor, "batch k channel height width"]) -> Tensor:
    return (space.kept if isinstance(space, EigenSpace) else space).flatten(2)


def _signs(jacobian: Jacobian, probes: int, generator: Generator | None) -> Vectors:
    shape = (len(jacobian.points), probes, *jacobian.points.shape[1:])
    bits = torch.randint(0, 2, shape, generator=generator or Generator().manual_seed(0))
    return bits.to(jacobian.points) * 2 - 1

"""The symmetries of an image set: vector fields v(u) = A u that are tangent to the image manifold everywhere.

Lie PCA (Cahill, Mixon, Parshall 2023), section 2: the generator A minimises sum_i |(I - P_i) A u_i|^2 over frames u_i
with sum_i |A u_i|^2 = 1, where P_i projects onto the tangent space at u_i. An eigenvalue is the share of a field that
leaves the tangent spaces. Frames are shuffled, unlabelled; nothing is known of the motion.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from manex.arrays import FrameMap, Frames, Vectors
from manex.errors import GeometryError
from manex.geometry.eigen import top_eigenspace
from manex.geometry.fields import Fields, Weights, host, unflat
from manex.geometry.probe import law_of
from manex.geometry.products import Jacobian
from manex.noises.draws import noise_like

GAP = 2.0
"""The least ratio of neighbouring eigenvalues that counts as a gap."""
_SOME = 200


@dataclass(frozen=True)
class Symmetries:
    """Candidates for generators, the best first; the first `count` are symmetries.

    Attributes:
        values: eigenvalues, ascending: the share of |A u|^2 that leaves the tangent spaces, 0 to 1.
        weights: of each field, scaled so that |A u| = |u| in the root mean square over the frames.
        residuals: the same share at each frame.
        skew: for each field, the share of |A|^2 that is skew-symmetric on the span of the frames; 1 for an isometry.
    """

    fields: Fields
    values: Float[Tensor, " field"]
    weights: Weights
    residuals: Float[Tensor, "frame field"]
    skew: Float[Tensor, " field"]

    @property
    def count(self) -> int:
        """How many symmetries there are: the fields before the largest relative gap; 0 if no ratio reaches `GAP`."""
        ratios = self.ratios
        best = int(ratios.argmax()) if len(ratios) else 0
        return best + 1 if len(ratios) and ratios[best] >= GAP else 0

    @property
    def ratios(self) -> Float[Tensor, " gap"]:
        """Each eigenvalue over the one before; rounding does not count."""
        floored = self.values.clamp(min=1e-6)
        return floored[1:] / floored[:-1]

    def first(self, count: int) -> Symmetries:
        """The best `count` fields alone."""
        return Symmetries(
            self.fields, self.values[:count], self.weights[:count], self.residuals[:, :count], self.skew[:count]
        )

    def along(self, frames: Frames) -> Vectors:
        """A u for every field at every frame, float64."""
        return self.fields.along(self.weights, frames)

    def combined(self, times: Float[Tensor, "batch field"]) -> Weights:
        """The weights of sum_k t_k A_k for every item."""
        return host(times) @ self.weights

    def bracket(self, i: int, j: int, frames: Frames) -> Frames:
        """[A_i, A_j] u."""
        both = self.weights[[i, j]]
        once = self.fields.along(both, frames)
        return self.fields.along(both[:1], once[:, 1])[:, 0] - self.fields.along(both[1:], once[:, 0])[:, 0]

    def openness(self, frames: Frames) -> float:
        """How far the fields are from a Lie algebra: the largest share of a bracket that is no combination of them.

        0: closed, or the brackets vanish, below 1e-6 of |u|.
        """
        basis = self.along(frames).transpose(0, 1).flatten(1)
        worst, size = 0.0, float(host(frames).norm())
        for i in range(len(self.values)):
            for j in range(i):
                bracket = self.bracket(j, i, frames).flatten()
                if float(bracket.norm()) > 1e-6 * size:
                    known = torch.linalg.lstsq(basis.mT, bracket[:, None]).solution
                    left = bracket - basis.mT @ known[:, 0]
                    worst = max(worst, float(left.square().sum() / bracket.square().sum()))
        return worst


def symmetries(fields: Fields, frames: Frames, tangents: Float[Tensor, "space row ..."], wanted: int = 6) -> Symmetries:
    """Look for generators among `fields`.

    Args:
        frames: clean frames, in any order.
        tangents: an orthonormal basis of the tangent space at each frame, P_i = T_i^T T_i.
        wanted: candidates; the gap is looked for among them.

    Raises:
        GeometryError: frames and tangents do not go together, or no field moves the frames.

    Example:
        >>> from manex.geometry.fields import Linear
        >>> from manex.geometry.symmetry import neighbour_tangents, symmetries
        >>> place = torch.linspace(0, 6.25, 60)[:, None]
        >>> circle = torch.cat([torch.cos(place), torch.sin(place), torch.cos(2 * place), torch.sin(2 * place)], 1)
        >>> frames = circle.reshape(60, 1, 2, 2)
        >>> found = symmetries(Linear(frames), frames, neighbour_tangents(frames, 2, 1), wanted=3)
        >>> found.count, float(found.values[0]) < 0.01, round(float(found.skew[0]), 2)
        (1, True, 1.0)
    """
    if len(frames) != len(tangents) or frames.shape[1:] != tangents.shape[2:]:
        raise GeometryError(f"tangents of shape {tuple(tangents.shape)} for frames of {tuple(frames.shape)}")
    spaces = fields.seen(tangents)
    _, weights = fields.kept(frames, spaces, wanted)
    moved = fields.along(weights, frames)
    sizes = moved.flatten(2).square().sum(2)
    scale = (sizes.mean(0) / host(frames).flatten(1).square().sum(1).mean()).sqrt()
    if not (scale > 0).all():
        raise GeometryError("no field moves these frames: they are all black")
    sign = weights.gather(1, weights.abs().argmax(1, keepdim=True)).sign()
    inside = torch.einsum("nkp,nfp->nkf", spaces.flatten(2), moved.flatten(2)).square().sum(1)
    lost = (sizes - inside).clamp(min=0)
    order = (lost.sum(0) / sizes.sum(0)).argsort()
    some = torch.linspace(0, len(frames) - 1, min(_SOME, len(frames))).round().long()
    return Symmetries(
        fields=fields,
        values=(lost.sum(0) / sizes.sum(0))[order],
        weights=(weights * sign / scale[:, None])[order],
        residuals=(lost / sizes.clamp(min=torch.finfo(sizes.dtype).tiny))[:, order],
        skew=_skew(host(frames[some]), moved[some])[order],
    )


def neighbour_tangents(
    frames: Frames,
    neighbours: int = 2,
    rank: int = 1,
    others: Float[Tensor, "known channel height width"] | None = None,
) -> Vectors:
    """Local PCA: the first principal axes of each frame and its nearest neighbours among `others`, float64.

    Args:
        others: all frames known, `frames` among them; None: `frames`.

    Raises:
        GeometryError: more axes than neighbours, or too few frames.
    """
    if rank > neighbours or neighbours >= len(frames if others is None else others):
        raise GeometryError(f"{rank} axes through {neighbours} neighbours: take fewer axes, or more frames")
    rows = host(frames).flatten(1)
    known = rows if others is None else host(others).flatten(1)
    result = []
    for some in rows.split(500):
        nearest = torch.cdist(some, known).topk(neighbours + 1, largest=False).indices
        clouds = known[nearest]
        result.append(torch.linalg.svd(clouds - clouds.mean(1, keepdim=True), full_matrices=False)[2][:, :rank])
    return unflat(torch.cat(result), frames.shape[1:])


def denoiser_tangents(denoiser: FrameMap, sigma: float, frames: Frames, rank: int = 5, copies: int = 1) -> Vectors:
    """The top eigenvectors of the denoiser's Jacobian at noisy copies of the frames, seeded; of their mean projector.

    The Jacobian itself is too soft a projector: too many dimensions pass in part.

    Args:
        denoiser: at the noise level, such as `denoiser.at(sigma)`.
        sigma: that noise level, in grey levels.
        rank: eigenvectors per copy.
        copies: noisy copies per frame, in mirrored pairs if even.
    """
    generator, found = Generator().manual_seed(0), []
    for some in frames.split(100):
        draws = [noise_like(some, generator, law_of(denoiser)) for _ in range(0, copies, 2)]
        noisy = [some + sign * sigma * draw for draw in draws for sign in (1, -1)][:copies]
        jacobians = (Jacobian(denoiser, at) for at in noisy)
        spaces = [
            top_eigenspace(jacobian, rank, tolerance=0.1, max_products=16 + 6 * rank, symmetrise=False)
            for jacobian in jacobians
        ]
        both = host(torch.cat([space.vectors for space in spaces], 1)).flatten(2)
        found.append(unflat(torch.linalg.svd(both, full_matrices=False)[2][:, :rank], frames.shape[1:]))
    return torch.cat(found)


def _skew(frames: Tensor, moved: Tensor) -> Float[Tensor, " field"]:
    """|G - G^T|^2 / (|G - G^T|^2 + |G + G^T|^2) of G_ij = <u_i, A u_j>."""
    gram = torch.einsum("ip,jfp->fij", frames.flatten(1), moved.flatten(2))
    odd, even = ((gram + sign * gram.mT).square().sum((1, 2)) for sign in (-1, 1))
    share: Tensor = odd / (odd + even)
    return share

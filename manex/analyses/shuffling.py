"""What the order of the pixels tells a denoiser: the same frames with their pixels shuffled, all alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import torch
from pydantic import Field, NonNegativeInt, PositiveInt
from torch import Generator, Tensor

from manex.analyses.base import Analysis, Rows, Subject
from manex.analyses.columns import in_255, rows
from manex.analyses.members import Member, spread
from manex.arrays import Frames, Level, Vectors
from manex.datasets.dataset import Dataset
from manex.denoisers.base import Denoiser
from manex.denoisers.permuted import PermutedDenoiser, Pixels, pixel_order, shuffled
from manex.errors import ManexError
from manex.geometry.eigen import top_eigenspace
from manex.geometry.products import Jacobian
from manex.geometry.tangent import effective_dimension, project
from manex.noises.draws import noise_like
from manex.settings import GreyLevels


class Shuffling(Analysis):
    """Noise levels, held-out frames, and the permutation that exact denoisers are given.

    Source: Kadkhodaie, Guth, Simoncelli and Mallat 2024, Fig. 6.
    """

    sigma: GreyLevels = Field((25 / 255, 50 / 255), min_length=1, description="noise levels")
    images: PositiveInt = Field(200, description="held-out frames, evenly spread")
    points: PositiveInt = Field(16, description="of these, for the Jacobian")
    vectors: PositiveInt = Field(40, description="eigenvectors of (J + J^T) / 2 in which the image is looked for")
    shuffle: NonNegativeInt = Field(0, description="seed of the permutation for exact denoisers")
    seed: NonNegativeInt = Field(0, description="of the noise; from 100 for development")


def shuffling(subjects: Sequence[Subject], dataset: Dataset, cfg: Shuffling) -> Iterator[Rows]:
    """`shuffling`, a row per denoiser, level and held-out frame; all denoisers see the same noise.

    `shuffled` says whether the denoiser was made from frames with shuffled pixels: a member of a family with `shuffle`,
    and, besides itself, every exact denoiser. What it says is put back in order, so an exact denoiser loses nothing.

    * `mse`: |D(y) - x|^2 / N;
    * `trace`: of the Jacobian J at y, `energy`: the share of |x|^2 in the first `vectors` eigenvectors of
      (J + J^T) / 2; both for the first `points` frames.

    Raises:
        ManexError: no frame is held out.
    """
    if not len(dataset.held_out_frames):
        raise ManexError("shuffling: no frame is held out, so there is nothing to denoise; raise data.DATASET.held_out")
    frames = spread(dataset.held_out_frames, min(cfg.images, len(dataset.held_out_frames)))
    for subject in subjects:
        both = {_knows_shuffled(subject): subject.denoiser}
        if "of" in vars(type(subject.denoiser)) and subject.denoiser.noise.is_white:
            order = pixel_order(cfg.shuffle, frames[0, 0].numel())
            again = type(subject.denoiser).of(_reordered(dataset, order)).to(subject.device)
            both |= {True: _Exact(again, order).to(subject.device).eval()}
        for turned, denoiser in both.items():
            for sigma in cfg.sigma:
                names = {"denoiser": subject.label, "shuffled": int(turned), "sigma_255": in_255(sigma)}
                yield rows("shuffling", names, _found(denoiser, frames.to(subject.device), sigma, cfg))


class _Exact(PermutedDenoiser):
    """P^T D(P y) with the closed form of its Jacobian."""

    def jacobian_product(self, noisy: Frames, sigma: Level, vectors: Vectors) -> Vectors:
        """P^T J_D(P y) P v."""
        turned = shuffled(vectors.flatten(0, 1), self.order).reshape(vectors.shape)
        product: Tensor = self.denoiser.jacobian_product(shuffled(noisy, self.order), sigma, turned)  # type: ignore[operator]
        return shuffled(product.flatten(0, 1), self.inverse).reshape(vectors.shape)


def _knows_shuffled(subject: Subject) -> bool:
    return isinstance(subject, Member) and subject.subset.shuffle is not None


def _reordered(dataset: Dataset, order: Pixels) -> Dataset:
    """The dataset with shuffled pixels, with all that an exact denoiser may look at."""
    manifolds = tuple(replace(one, frames=shuffled(one.frames, order)) for one in dataset.manifolds)
    videos = shuffled(dataset.videos.flatten(0, 1), order).reshape(dataset.videos.shape)
    return replace(dataset, videos=videos, frames=shuffled(dataset.frames, order), manifolds=manifolds)


def _found(denoiser: Denoiser, frames: Frames, sigma: float, cfg: Shuffling) -> dict[str, Tensor]:
    """By name, one number per frame; NaN for frames without a Jacobian."""
    noisy = frames + sigma * noise_like(frames, Generator().manual_seed(cfg.seed), denoiser.noise)
    with torch.no_grad():
        mse = (denoiser(noisy, sigma) - frames).square().mean((1, 2, 3))
    jacobian = Jacobian(denoiser.at(sigma), noisy[: cfg.points])
    space = top_eigenspace(jacobian, min(cfg.vectors, jacobian.dimension), "exact")
    looked = frames[: cfg.points]
    energy = project(space, looked).square().sum((1, 2, 3)) / looked.square().sum((1, 2, 3))
    none = torch.full((len(frames) - len(looked),), torch.nan)
    return {
        "image": torch.arange(len(frames)),
        "mse": mse,
        "trace": torch.cat([effective_dimension(jacobian).cpu(), none]),
        "energy": torch.cat([energy.cpu(), none]),
    }

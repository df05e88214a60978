"""The oracle that also knows the order of its samples: the model of the floor, `perfect`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from jaxtyping import Float, Int
from torch import Tensor

from manex.arrays import Frames
from manex.denoisers.oracle import Oracle
from manex.errors import GeometryError
from manex.noises.base import Noise
from manex.noises.white import White

if TYPE_CHECKING:
    from manex.datasets.dataset import Dataset


class Truth(Oracle):
    """The manifold of every video, and where on it the video's frames are.

    Args:
        dense: samples of each manifold, in order.
        samples: for every frame of a video, the number of its sample.
        noise: the law of the noise.

    Example:
        >>> from manex import Dataset, Truth, Walker, walker
        >>> dataset = Dataset.of(walker(Walker(people=2, frames=8, dense=80, size=16)), held_out=0)
        >>> Truth.of(dataset).videos_of(dataset.videos[:, 0])
        tensor([0, 1])
    """

    samples: Tensor

    def __init__(
        self,
        dense: Float[Tensor, "video latent channel height width"],
        samples: Int[Tensor, " frame"],
        noise: Noise = White(),  # noqa: B008 - frozen
    ) -> None:
        super().__init__(dense.flatten(0, 1), noise=noise)
        self.videos = len(dense)
        self.register_buffer("samples", samples)

    @classmethod
    def of(cls, dataset: Dataset, noise: Noise = White()) -> Truth:  # noqa: B008 - frozen
        """Know the true motion.

        Raises:
            ValueError: no true manifold is known.
        """
        dense = dataset.dense.unflatten(0, (len(dataset.manifolds), -1))
        assert dataset.coordinates is not None
        manifold = dataset.manifolds[0]  # those of all videos are sampled alike
        away = (dataset.coordinates[:, None] - manifold.coordinates).abs()
        if manifold.period is not None:
            away = torch.minimum(away, manifold.period - away)
        return cls(dense, away.argmin(1), noise)

    @property
    def dense(self) -> Tensor:
        """(video, latent, channel, height, width): the samples of each manifold, in order."""
        dense: Tensor = self.atoms.unflatten(0, (self.videos, -1))
        return dense

    def videos_of(self, frames: Frames) -> Tensor:
        """(batch,) the video that each frame is the first of.

        Raises:
            GeometryError: it is the first of none.
        """
        firsts = self.dense[:, self.samples[0]].flatten(1)
        away = torch.cdist(frames.flatten(1), firsts)
        if bool((away.amin(1) > 0.1 * frames.flatten(1).norm(dim=1).clamp(min=1e-6)).any()):
            raise GeometryError("a frame that begins none of the true videos; their truth is not known")
        return away.argmin(1)

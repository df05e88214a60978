"""The true motion of a dataset: no denoiser, but the model of the floor, `perfect`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from manex.arrays import Frames
from manex.errors import GeometryError

if TYPE_CHECKING:
    from manex.datasets.dataset import Dataset


class Truth(nn.Module):
    """The manifold of every video, and where on it the video's frames are.

    Args:
        dense: (video, latent, channel, height, width) samples of each manifold.
        samples: (frame,) for every frame of a video, the number of its sample.

    Example:
        >>> from manex import Dataset, Truth, Walker, walker
        >>> dataset = Dataset.of(walker(Walker(people=2, frames=8, dense=80, size=16)), held_out=0)
        >>> Truth.of(dataset).videos_of(dataset.videos[:, 0])
        tensor([0, 1])
    """

    dense: Tensor
    samples: Tensor

    def __init__(self, dense: Tensor, samples: Tensor) -> None:
        super().__init__()
        self.register_buffer("dense", dense)
        self.register_buffer("samples", samples)

    @classmethod
    def of(cls, dataset: Dataset) -> Truth:
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
        return cls(dense, away.argmin(1))

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

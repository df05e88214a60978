"""A dataset in memory: what trainings, denoisers, walks and analyses read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from manex.datasets.manifold import LatentManifold
from manex.datasets.videos import ClipVideos, LatentVideos

Order = tuple[Int[Tensor, "clip frame"], Bool[Tensor, "clip frame"]]
"""For every frame of every clip its row among the training frames, or -1 - row among the held-out ones; and whether
there is such a frame, since clips differ in length."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """Videos, the frames to train on, and the true manifold where it is known.

    Attributes:
        videos: (video, frame, channel, height, width), grey levels in [0, 1]; no video at all for a set of stills.
        frames: (n, channel, height, width), all there is to train on: the frames of the videos, or those of the longer
            clips that the videos were taken from, or of other videos (protocol held_out).
        clip: (n,) the clip that each of `frames` belongs to; the frames of a clip are in order.
        held_out: numbers of the frames kept from training; may be empty.
        coordinates: (frame,) latent coordinate of the videos' frames; None where none is known.
        manifolds: for each video, the dense sampling of the manifold it lies on; empty where none is known.
        unit: of the latent coordinate.
        private: whether it shows what must not be published, such as real people.
        names: of the videos; empty if they have none.

    Raises:
        ValueError: the parts do not fit together.

    Example:
        >>> from manex import Dataset, Walker, walker
        >>> dataset = Dataset.of(walker(Walker(people=2, frames=8, dense=20, size=16)), held_out=3)
        >>> dataset.videos.shape, len(dataset.training_frames), len(dataset.held_out_frames)
        (torch.Size([2, 8, 1, 16, 16]), 13, 3)
    """

    videos: Float[Tensor, "video frame channel height width"]
    frames: Float[Tensor, "n channel height width"]
    clip: Int[Tensor, " n"]
    held_out: Int[Tensor, " held_out"]
    coordinates: Tensor | None = None
    manifolds: tuple[LatentManifold, ...] = ()
    unit: str = ""
    private: bool = False
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_frames(self)
        _check_numbers(self)

    @classmethod
    def of(cls, made: LatentVideos | ClipVideos, held_out: int, seed: int = 0, private: bool = False) -> Dataset:
        """What a dataset kind made, with a seeded draw of held-out frames.

        Raises:
            ValueError: no frame would be left to train on.
        """
        numbers = held_out_frames(len(made.frames), held_out, seed, made.given)
        known: dict[str, Any] = {}
        if isinstance(made, LatentVideos):
            fine = torch.from_numpy(made.dense_coordinates)
            manifolds = (LatentManifold(torch.from_numpy(dense), fine, made.period) for dense in made.dense)
            coordinates = torch.from_numpy(made.coordinates)
            known = {"coordinates": coordinates, "manifolds": tuple(manifolds), "unit": made.unit}
        else:
            known = {"names": made.names}
        arrays = {"videos": made.videos, "frames": made.frames, "clip": made.clip, "held_out": numbers}
        tensors: dict[str, Any] = {
            name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()
        }
        return cls(**tensors, **known, private=private)

    @property
    def shape(self) -> dict[str, int]:
        """Channels and side of a frame: what a network is built for."""
        return {"channels": self.frames.shape[1], "size": self.frames.shape[-1]}

    def name_of(self, video: int) -> str:
        """How a video is told from the others: its number, with its name if it has one."""
        return f"{video} ({self.names[video]})" if self.names else str(video)

    @property
    def dense(self) -> Tensor:
        """The samples of all manifolds, one after the other.

        Raises:
            ValueError: no manifold is known.
        """
        if not self.manifolds:
            raise ValueError(
                "no true manifold is known of this dataset, so there is no oracle; in params.yaml make the method "
                "{algorithm: skipped, reason: no true manifold is known}"
            )
        return torch.cat([manifold.frames for manifold in self.manifolds])

    @property
    def training_frames(self) -> Tensor:
        """All frames but the held-out ones."""
        return self.frames[~self._out]

    @property
    def training_clip(self) -> Tensor:
        """(n,) the clip of each training frame."""
        return self.clip[~self._out]

    @property
    def held_out_frames(self) -> Tensor:
        """The frames no training sees."""
        return self.frames[self.held_out]

    @property
    def order(self) -> Order:
        """Which frames follow one another."""
        out = self._out
        rows = torch.where(out, -out.long().cumsum(0), (~out).long().cumsum(0) - 1)
        sizes = torch.bincount(self.clip)
        present = torch.arange(int(sizes.max())) < sizes[:, None]
        padded = torch.zeros(present.shape, dtype=torch.int64)
        padded[present] = rows
        return padded, present

    @property
    def _out(self) -> Tensor:
        """(n,) whether a frame is held out."""
        out = torch.zeros(len(self.frames), dtype=torch.bool)
        out[self.held_out] = True
        return out


def _check_frames(dataset: Dataset) -> None:
    videos, frames = dataset.videos, dataset.frames
    if videos.ndim != 5 or min(videos.shape[1:]) < 1 or videos.shape[1] < 3 or videos.shape[-1] != videos.shape[-2]:
        raise ValueError(f"videos are {tuple(videos.shape)}, not (video, frame, channel, size, size)")
    manifolds = [manifold.frames for manifold in dataset.manifolds]
    for some in (videos.flatten(0, 1), frames, *manifolds):
        if some.dtype != torch.float32 or some.shape[1:] != videos.shape[2:]:
            raise ValueError(f"frames are {some.dtype} {tuple(some.shape[1:])}, not {tuple(videos.shape[2:])}")
        if len(some) and (some.min() < 0 or some.max() > 1):
            raise ValueError("grey levels outside [0, 1]")
    if dataset.names and len(dataset.names) != len(videos):
        raise ValueError(f"{len(dataset.names)} names for {len(videos)} videos")
    if dataset.coordinates is None:
        return
    if len(manifolds) != len(videos) or dataset.coordinates.shape != videos.shape[1:2]:
        raise ValueError("manifolds or coordinates do not go with the videos")


def _check_numbers(dataset: Dataset) -> None:
    held_out, clip, count = dataset.held_out, dataset.clip, len(dataset.frames)
    if held_out.dtype != torch.int64 or held_out.ndim != 1 or not len(held_out) < count:
        raise ValueError("the held-out frames are no numbers of frames")
    if len(held_out.unique()) != len(held_out) or (len(held_out) and not 0 <= held_out.min() <= held_out.max() < count):
        raise ValueError(f"the held-out frames are not of the {count} there are")
    if clip.dtype != torch.int64 or clip.shape != (count,) or clip[0] != 0 or not ((d := clip.diff()) >= 0).all():
        raise ValueError("the clips of the frames are no numbers in order")
    if len(d) and d.max() > 1:
        raise ValueError("the clips of the frames leave out a number")


def held_out_frames(frames: int, held_out: int, seed: int, given: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """Which of `frames` frames never reach training: a seeded draw among all but the given ones, sorted.

    Raises:
        ValueError: fewer than one frame would be left to train on.
    """
    drawn = np.random.default_rng(seed).permutation(frames)
    if given is not None:
        drawn = drawn[~np.isin(drawn, given)]
    if held_out >= frames or held_out > len(drawn):
        raise ValueError(f"held_out: {held_out} of {frames} frames leave none to train on")
    return np.sort(drawn[:held_out])

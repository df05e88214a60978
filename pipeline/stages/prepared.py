"""Prepared datasets, as the stages after `prepare` read them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.errors import UserError
from pipeline.metrics.coordinates import LatentManifold
from pipeline.paths import Paths
from pipeline.stages.artifacts import damaged, read_json, read_tensors


@dataclass(frozen=True)
class Prepared:
    """A dataset as the later stages read it.

    Attributes:
        videos: (video, frame, channel, height, width), grey levels in [0, 1].
        frames: (n, channel, height, width), all there is to train on: the frames of the videos, in order, or those of
            the longer clips that the videos were taken from, or of other videos (protocol held_out).
        held_out: numbers of the frames kept from training.
        coordinates: (frame,) latent coordinate of the videos' frames; None where none is known.
        manifolds: for each video, the dense sampling of the manifold it lies on; empty where none is known.
        unit: of the latent coordinate.
        private: whether it shows what must not be published, such as real people.
    """

    videos: Tensor
    frames: Tensor
    held_out: Tensor
    coordinates: Tensor | None
    manifolds: tuple[LatentManifold, ...]
    unit: str
    private: bool

    @property
    def dense(self) -> Tensor:
        """The samples of all manifolds, one after the other.

        Raises:
            UserError: no manifold is known.
        """
        if not self.manifolds:
            raise UserError(
                "no true manifold is known of this dataset, so there is no oracle; in params.yaml make the method "
                "{algorithm: skipped, reason: no true manifold is known}"
            )
        return torch.cat([manifold.frames for manifold in self.manifolds])

    @property
    def training_frames(self) -> Tensor:
        """All frames but the held-out ones."""
        kept = torch.ones(len(self.frames), dtype=torch.bool)
        kept[self.held_out] = False
        return self.frames[kept]

    @property
    def order(self) -> Tensor:
        """(video, frame): which frames follow one another, as rows of `training_frames`; -1 - row, if held out.

        Raises:
            UserError: the frames are of clips whose ends are not known.
        """
        if not self.manifolds:
            raise UserError(
                "where one clip ends and the next begins is not stored of this dataset, so nothing can be trained on "
                "ordered clips; in params.yaml make the model {network: skipped, reason: its clips are not stored}"
            )
        out = torch.zeros(len(self.frames), dtype=torch.bool)
        out[self.held_out] = True
        rows = torch.where(out, -out.long().cumsum(0), (~out).long().cumsum(0) - 1)
        return rows.reshape(-1, self.videos.shape[1])

    @property
    def held_out_frames(self) -> Tensor:
        """The frames no training sees."""
        return self.frames[self.held_out]


def load_prepared(dataset: str, paths: Paths) -> Prepared:
    """Read data/prepared/DATASET.

    Raises:
        UserError: missing or damaged.
    """
    made_by, folder = f"manex prepare {dataset}", paths.prepared(dataset)
    tensors = read_tensors(folder / "frames.safetensors", made_by, ("videos", "held_out"))
    facts = read_json(folder / "dataset.json", made_by, ("latent", "unit", "private"))
    try:
        videos = tensors["videos"]
        manifolds: tuple[LatentManifold, ...] = ()
        if facts["latent"]:
            coordinates = tensors["dense_coordinates"].double()
            manifolds = tuple(LatentManifold(frames, coordinates, facts["period"]) for frames in tensors["dense"])
        prepared = Prepared(
            videos=videos,
            frames=tensors["frames"] if "frames" in tensors else videos.flatten(0, 1),
            held_out=tensors["held_out"],
            coordinates=tensors["coordinates"] if facts["latent"] else None,
            manifolds=manifolds,
            unit=str(facts["unit"]),
            private=bool(facts["private"]),
        )
        _check(prepared)
    except (KeyError, ValueError, TypeError, RuntimeError, IndexError) as error:
        raise damaged(folder, error, made_by) from None
    return prepared


def _check(prepared: Prepared) -> None:
    """What the stages after `prepare` rely on.

    Raises:
        ValueError: it does not hold.
    """
    videos, frames, held_out = prepared.videos, prepared.frames, prepared.held_out
    if videos.ndim != 5 or min(videos.shape) < 1 or videos.shape[1] < 3 or videos.shape[-1] != videos.shape[-2]:
        raise ValueError(f"videos are {tuple(videos.shape)}, not (video, frame, channel, size, size)")
    manifolds = [manifold.frames for manifold in prepared.manifolds]
    for some in (videos.flatten(0, 1), frames, *manifolds):
        if some.dtype != torch.float32 or some.shape[1:] != videos.shape[2:]:
            raise ValueError(f"frames are {some.dtype} {tuple(some.shape[1:])}, not {tuple(videos.shape[2:])}")
        if some.min() < 0 or some.max() > 1:
            raise ValueError("grey levels outside [0, 1]")
    if held_out.dtype != torch.int64 or held_out.ndim != 1 or not 0 < len(held_out.unique()) < len(frames):
        raise ValueError("the held-out frames are no numbers of frames")
    if len(held_out.unique()) != len(held_out) or held_out.min() < 0 or held_out.max() >= len(frames):
        raise ValueError(f"the held-out frames are not of the {len(frames)} there are")
    if prepared.coordinates is None:
        return
    if len(manifolds) != len(videos) or prepared.coordinates.shape != videos.shape[1:2]:
        raise ValueError("manifolds or coordinates do not go with the videos")

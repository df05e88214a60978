"""Prepared datasets, as the stages after `prepare` read them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from pipeline.errors import UserError
from pipeline.metrics.coordinates import LatentManifold
from pipeline.paths import Paths
from pipeline.stages.artifacts import read_json, read_tensors


@dataclass(frozen=True)
class Prepared:
    """A dataset as the later stages read it.

    Attributes:
        videos: (video, frame, channel, height, width), grey levels in [0, 1].
        held_out: (n,) numbers of the frames kept from training, counted through all videos in order.
        manifolds: for each video, the dense sampling of the manifold it lies on.
        unit: of the latent coordinate.
    """

    videos: Tensor
    held_out: Tensor
    coordinates: Tensor
    manifolds: tuple[LatentManifold, ...]
    unit: str

    @property
    def dense(self) -> Tensor:
        """The samples of all manifolds, one after the other."""
        return torch.cat([manifold.frames for manifold in self.manifolds])

    @property
    def training_frames(self) -> Tensor:
        """All frames but the held-out ones."""
        kept = torch.ones(self.videos.shape[0] * self.videos.shape[1], dtype=torch.bool)
        kept[self.held_out] = False
        return self.videos.flatten(0, 1)[kept]

    @property
    def held_out_frames(self) -> Tensor:
        """The frames no training sees."""
        return self.videos.flatten(0, 1)[self.held_out]


def load_prepared(dataset: str, paths: Paths) -> Prepared:
    """Read data/prepared/DATASET.

    Raises:
        UserError: missing or damaged.
    """
    made_by, folder = f"manex prepare {dataset}", paths.prepared(dataset)
    tensors = read_tensors(folder / "frames.safetensors", made_by)
    facts = read_json(folder / "dataset.json", made_by)
    try:
        coordinates, period = tensors["dense_coordinates"].double(), facts["period"]
        manifolds = tuple(LatentManifold(frames, coordinates, period) for frames in tensors["dense"])
        prepared = Prepared(tensors["videos"], tensors["held_out"], tensors["coordinates"], manifolds, facts["unit"])
    except (KeyError, ValueError) as error:
        raise UserError(f"{folder}: damaged ({error}); make it again with: {made_by}") from None
    if not prepared.videos.isfinite().all():
        raise UserError(f"{folder}: damaged (values that are not finite); make it again with: {made_by}")
    return prepared

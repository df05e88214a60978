"""prepare: from raw data to the videos, the dense manifold and the held-out frames of a dataset."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from pipeline.config import Params, Rotated
from pipeline.datasets.mnist import held_out_frames, rotated, translated
from pipeline.errors import UserError
from pipeline.metrics.coordinates import LatentManifold
from pipeline.paths import Paths
from pipeline.stages.artifacts import read_json, read_tensors, replacing_folder, write_json, write_tensors
from pipeline.stages.records import recorded


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


def prepare(dataset: str, params: Params, paths: Paths) -> None:
    """Write data/prepared/DATASET."""
    cfg = params.dataset(dataset)
    with recorded(paths, "prepare", dataset, cfg.model_dump(mode="json")) as run:
        digits = read_tensors(paths.mnist / "digits.safetensors", "manex fetch")["images"].numpy()
        made = rotated(digits, cfg) if isinstance(cfg, Rotated) else translated(digits, cfg)
        try:
            held_out = held_out_frames(len(made.videos), cfg.frames, cfg.held_out, cfg.seed)
        except ValueError as error:
            raise UserError(f"params.yaml: data.{dataset}.{error}") from None
        with replacing_folder(paths.prepared(dataset)) as folder:
            arrays = {
                "videos": made.videos,
                "coordinates": made.coordinates,
                "dense": made.dense,
                "dense_coordinates": made.dense_coordinates,
                "held_out": held_out,
            }
            tensors = {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}
            write_tensors(folder / "frames.safetensors", tensors)
            write_json(folder / "dataset.json", {"unit": made.unit, "period": made.period})
        run.facts["shape"] = list(made.videos.shape)


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

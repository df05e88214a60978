"""prepare: from raw data to the videos, the dense manifold and the held-out frames of a dataset."""

from __future__ import annotations

import numpy as np
import torch

from pipeline.config.data import Dataset, Rotated
from pipeline.datasets.mnist import held_out_frames, rotated, translated
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.stages.artifacts import read_tensors, replacing_folder, write_json, write_tensors
from pipeline.stages.records import recorded


def prepare(dataset: str, cfg: Dataset, paths: Paths) -> None:
    """Write data/prepared/DATASET."""
    with recorded(paths, "prepare", dataset, cfg.model_dump(mode="json")) as run:
        digits = read_tensors(paths.raw("mnist") / "digits.safetensors", "manex fetch mnist")["images"].numpy()
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

"""Prepared datasets on disk: `prepare` writes them, the stages after it read them."""

from __future__ import annotations

from typing import Any

import torch

from manex.datasets.dataset import Dataset
from manex.datasets.manifold import LatentManifold
from pipeline.paths import Paths
from pipeline.storage.artifacts import damaged, read_json, read_tensors, replacing_folder, write_json, write_tensors
from pipeline.storage.origins import Origins, check_origins
from pipeline.storage.skipped import STILLS

CLIPS = "clips"
"""The key of dataset.json that names the videos."""


def write_prepared(
    name: str, dataset: Dataset, facts: dict[str, Any], paths: Paths, made_from: Origins | None = None
) -> None:
    """Write data/prepared/NAME: the tensors, and `facts` next to what describes the dataset.

    Args:
        made_from: the user's clips.
    """
    tensors = {"videos": dataset.videos, "clip": dataset.clip, "held_out": dataset.held_out}
    if not torch.equal(dataset.frames, dataset.videos.flatten(0, 1)):  # otherwise they are stored once
        tensors["frames"] = dataset.frames
    period = None
    if dataset.coordinates is not None:
        tensors["coordinates"] = dataset.coordinates
        tensors["dense"] = torch.stack([manifold.frames for manifold in dataset.manifolds])
        tensors["dense_coordinates"] = dataset.manifolds[0].coordinates
        period = dataset.manifolds[0].period
    own = {"latent": dataset.coordinates is not None, "unit": dataset.unit, "private": dataset.private}
    own |= {} if len(dataset.videos) else {STILLS: True}
    own |= {CLIPS: list(dataset.names)} if dataset.names else {}
    with replacing_folder(paths.prepared(name), sealed=True, made_from=made_from) as folder:
        write_tensors(folder / "frames.safetensors", tensors)
        write_json(folder / "dataset.json", {**facts, **own, "period": period})


def load_prepared(name: str, paths: Paths) -> Dataset:
    """Read data/prepared/NAME.

    Raises:
        UserError: missing, damaged, or made from other clips than are here.
    """
    check_origins(paths, paths.prepared(name))
    made_by, folder = f"manex prepare {name}", paths.prepared(name)
    tensors = read_tensors(folder / "frames.safetensors", made_by, ("videos", "clip", "held_out"))
    facts = read_json(folder / "dataset.json", made_by, ("latent", "unit", "private"))
    try:
        known: dict[str, Any] = {}
        if facts["latent"]:
            fine = tensors["dense_coordinates"].double()
            manifolds = tuple(LatentManifold(frames, fine, facts["period"]) for frames in tensors["dense"])
            known = {"coordinates": tensors["coordinates"], "manifolds": manifolds}
        parts: dict[str, Any] = {part: tensors[part] for part in ("videos", "clip", "held_out")}
        names = tuple(map(str, facts.get(CLIPS, ())))
        parts["frames"] = tensors.get("frames", tensors["videos"].flatten(0, 1))
        return Dataset(**parts, **known, unit=str(facts["unit"]), private=bool(facts["private"]), names=names)
    except (KeyError, ValueError, TypeError, RuntimeError, IndexError) as error:
        raise damaged(folder, error, made_by) from None

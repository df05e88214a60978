"""prepare: from raw data to the videos, the frames to train on and to hold out, and the true manifold if known."""

from __future__ import annotations

from manex.datasets.dataset import Dataset
from pipeline.config.data import DatasetEntry
from pipeline.config.entries import named
from pipeline.errors import UserError
from pipeline.paths import KEPT, Paths
from pipeline.sources.read import read_raw
from pipeline.storage.origins import origins
from pipeline.storage.prepared import write_prepared
from pipeline.tracking.record import recorded


def prepare(name: str, entry: DatasetEntry, paths: Paths) -> None:
    """Write data/prepared/NAME, and the folder of the models of this dataset."""
    cfg = entry.settings
    with recorded(paths, "prepare", name, entry.model_dump(mode="json")) as run:
        try:
            made = named(f"{entry.module}:{entry.kind}")(cfg, read_raw(cfg, paths))
            dataset = Dataset.of(made, cfg.held_out, cfg.seed, cfg.private)
        except UserError:
            raise
        except ValueError as error:
            raise UserError(f"params.yaml: data.{name}.{error}") from None
        clips = named(f"pipeline.sources.{cfg.source}:places")(cfg, dataset.names, paths) if dataset.names else ()
        facts = {"note": made.note, "protocol": "held_out" if made.unseen and len(made.videos) else "paper"}
        write_prepared(name, dataset, facts, paths, origins(paths, *clips))
        paths.model(name, KEPT).mkdir(parents=True, exist_ok=True)
        run.facts["shape"] = list(dataset.videos.shape)

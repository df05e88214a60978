"""fetch: raw data, from the network or from what is on disk."""

from __future__ import annotations

import torch

from pipeline.config.data import Fetch, Source
from pipeline.paths import Paths
from pipeline.stages.artifacts import replacing_folder, write_json, write_tensors
from pipeline.stages.records import recorded
from pipeline.stages.sources import mnist_digits


def fetch(source: Source, cfg: Fetch, paths: Paths) -> None:
    """Write data/raw/SOURCE."""
    {"mnist": _mnist}[source](cfg, paths)


def _mnist(cfg: Fetch, paths: Paths) -> None:
    """The digits asked for, the same bytes whichever source gave them."""
    with recorded(paths, "fetch", "mnist", cfg.mnist.model_dump(mode="json")) as run:
        digits, run.facts["source"] = mnist_digits(cfg.mnist.indices, cfg.mnist.source)
        with replacing_folder(paths.raw("mnist")) as folder:
            write_tensors(folder / "digits.safetensors", {"images": torch.from_numpy(digits.copy())})
            write_json(folder / "digits.json", {"indices": list(cfg.mnist.indices)})

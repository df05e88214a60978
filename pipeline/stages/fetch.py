"""fetch: raw data, from the network or from what is on disk."""

from __future__ import annotations

import torch

from pipeline.config.data import Fetch
from pipeline.paths import Paths
from pipeline.stages.artifacts import replacing_folder, write_json, write_tensors
from pipeline.stages.records import recorded
from pipeline.stages.sources import mnist_digits


def fetch(cfg: Fetch, paths: Paths) -> None:
    """Write data/raw/mnist: the digits asked for, the same bytes whichever source gave them."""
    with recorded(paths, "fetch", "", cfg.model_dump(mode="json")) as run:
        digits, run.facts["source"] = mnist_digits(cfg.mnist.indices, cfg.mnist.source)
        with replacing_folder(paths.mnist) as folder:
            write_tensors(folder / "digits.safetensors", {"images": torch.from_numpy(digits.copy())})
            write_json(folder / "digits.json", {"indices": list(cfg.mnist.indices)})

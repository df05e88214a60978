"""Trained networks on disk, as the stage `train` and the trainings of a sweep leave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from safetensors.torch import save
from torch import nn

from pipeline.storage.artifacts import replacing_folder, write_csv, write_json
from pipeline.storage.origins import Origins

Facts = Mapping[str, Any]


def weights_of(network: nn.Module) -> bytes:
    """The weights as a safetensors file holds them."""
    return save({name: tensor.contiguous().cpu() for name, tensor in network.state_dict().items()})


def write_model(
    folder: Path, weights: bytes, history: Sequence[Facts], facts: Facts, made_from: Origins | None = None
) -> None:
    """Write the weights, the history of loss and PSNR, and model.json.

    Args:
        facts: the settings of the training, the shape of the frames, and how the training ended.
        made_from: the dataset that it was trained on.
    """
    with replacing_folder(folder, sealed=True, made_from=made_from) as temporary:
        (temporary / "weights.safetensors").write_bytes(weights)
        write_csv(temporary / "history.csv", pd.DataFrame(list(history)))
        write_json(temporary / "model.json", facts)

"""A training at rest, as named tensors that one safetensors file holds."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

History = list[dict[str, int | float]]


@dataclass(frozen=True)
class Checkpoint:
    """What a killed run needs to go on.

    Attributes:
        key: fingerprint of the settings and frames it belongs to; to be compared before use.
        history: the records so far, one dict a row.
        state: of the training (`Training.state`).
    """

    key: str
    history: History
    state: dict[str, Tensor]

    def tensors(self) -> dict[str, Tensor]:
        """All of it as tensors; text becomes bytes."""
        header = json.dumps({"key": self.key, "history": self.history}).encode()
        return {"header": torch.frombuffer(bytearray(header), dtype=torch.uint8), **self.state}

    @classmethod
    def of(cls, tensors: dict[str, Tensor]) -> Checkpoint:
        """The inverse of `tensors`.

        Raises:
            ValueError: not a checkpoint.
        """
        try:
            header = json.loads(bytes(tensors["header"].tolist()))
            state = {name: tensor for name, tensor in tensors.items() if name != "header"}
            return cls(header["key"], header["history"], state)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a checkpoint: {error}") from None


def fingerprint(settings: str, frames: Tensor) -> str:
    """A short hash of settings and frames, the same wherever they are the same."""
    digest = hashlib.sha256(settings.encode())
    digest.update(np.ascontiguousarray(frames.cpu().numpy()).tobytes())
    return digest.hexdigest()[:32]

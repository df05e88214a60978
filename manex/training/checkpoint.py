"""The state of a training as named tensors, for one safetensors file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

import torch
from torch import Tensor

History = list[dict[str, int | float]]


@dataclass(frozen=True)
class Checkpoint:
    """What a killed run needs to resume.

    Attributes:
        key: fingerprint of the settings and frames it belongs to; to be compared before use.
        history: the records so far, one dict per row.
        state: of the training (`Training.state`).
    """

    key: str
    history: History
    state: dict[str, Tensor]

    def tensors(self) -> dict[str, Tensor]:
        """All of it as tensors; text becomes bytes."""
        header = json.dumps({"key": self.key, "history": self.history, "sha256": self._digest()}).encode()
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
            checkpoint = cls(header["key"], header["history"], state)
            whole = header.get("sha256", "") in ("", checkpoint._digest())  # "": from a version that wrote none
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise ValueError(f"not a checkpoint: {error}") from None
        if not whole:
            raise ValueError("not the bytes that were written")
        return checkpoint

    def _digest(self) -> str:
        digest = hashlib.sha256(json.dumps([self.key, self.history]).encode())
        for name, tensor in sorted(self.state.items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(_bytes(tensor))
        return digest.hexdigest()


def fingerprint(settings: str, frames: Tensor) -> str:
    """A short hash of settings and frames, the same wherever they are the same."""
    digest = hashlib.sha256(settings.encode())
    digest.update(_bytes(frames))
    return digest.hexdigest()[:32]


def _bytes(tensor: Tensor) -> bytes:
    return tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy().tobytes()

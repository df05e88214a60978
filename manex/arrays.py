"""The shapes that travel through the library, named once, and their small vector algebra.

Grey levels lie in [0, 1]; noise levels are in the same unit (25/255 is about 0.098). jaxtyping checks the
shapes at run time in the tests only; elsewhere the aliases are documentation that cannot go stale.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

Frames = Float[Tensor, "batch channel height width"]
Videos = Float[Tensor, "video frame channel height width"]
Vectors = Float[Tensor, "batch vector channel height width"]
PerItem = Float[Tensor, "batch 1 1 1"]
"""One number per item of a batch of frames."""

Level = float | Float[Tensor, "batch 1 1 1"]
"""A noise level in grey levels: one for all items of a batch, or one per item."""

FrameMap = Callable[[Tensor], Tensor]
"""A map of frames to frames of the same shape, each item on its own: a denoiser with its noise level bound."""


def lengths(vectors: Frames) -> PerItem:
    """Euclidean norm of every item."""
    norm: Tensor = vectors.flatten(1).norm(dim=1)
    return norm.reshape(-1, 1, 1, 1)


def unit(vectors: Frames) -> Frames:
    """Every item scaled to length one; a zero stays zero."""
    return vectors / lengths(vectors).clamp(min=torch.finfo(vectors.dtype).tiny)


def precise(tensor: Tensor) -> Tensor:
    """In float64, on the tensor's device or, where that has none (Apple's MPS), on the CPU."""
    return (tensor.cpu() if tensor.device.type == "mps" else tensor).double()


def onto(draws: Tensor, device: torch.device) -> Tensor:
    """Draws of the CPU where they are used. A GPU fetches them from pinned memory while it computes."""
    return draws.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else draws.to(device)

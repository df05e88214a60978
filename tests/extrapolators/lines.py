"""Videos in which every pixel changes at a constant rate."""

from __future__ import annotations

import torch
from torch import Generator, Tensor


def line(count: int, frames: int) -> Tensor:
    """Straight motions, shape (item, frame, 1, 4, 4), within the grey range."""
    generator = Generator().manual_seed(7)
    start = 0.4 + 0.2 * torch.rand(count, 1, 1, 4, 4, generator=generator, dtype=torch.float64)
    velocity = 0.004 * torch.randn(count, 1, 1, 4, 4, generator=generator, dtype=torch.float64)
    return start + torch.arange(frames).reshape(1, -1, 1, 1, 1) * velocity

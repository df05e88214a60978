"""Zero padding to sizes that poolings divide."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from manex.arrays import Frames


def pad_to_multiple(frames: Frames, multiple: int) -> Float[Tensor, "batch channel padded_height padded_width"]:
    """Zero rows and columns at the bottom and right, up to the next multiple; linear, so homogeneity survives."""
    height, width = frames.shape[-2:]
    return F.pad(frames, (0, -width % multiple, 0, -height % multiple))

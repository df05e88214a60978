"""The shapes that travel through the library, named once.

Grey levels lie in [0, 1]; noise levels are in the same unit (25/255 is about 0.098). jaxtyping checks the
shapes at run time in the tests only; elsewhere the aliases are documentation that cannot go stale.
"""

from __future__ import annotations

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor

Frames = Float[Tensor, "batch channel height width"]
Videos = Float[Tensor, "video frame channel height width"]
Vectors = Float[Tensor, "batch vector channel height width"]

FrameMap = Callable[[Tensor], Tensor]
"""A map of frames to frames of the same shape, each item on its own: a denoiser with its noise level bound."""

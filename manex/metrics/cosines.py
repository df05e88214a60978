"""How alike images are, whatever their brightness."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from manex.arrays import unit


def cosines(
    some: Float[Tensor, "some channel height width"], others: Float[Tensor, "others channel height width"]
) -> Float[Tensor, "some others"]:
    """Of all pairs of images, the mean grey removed from each; 0 for an image of one grey level.

    Source: the code of Kadkhodaie, Guth, Simoncelli, Mallat 2024. A bias-free denoiser does not know how bright an
    image is.

    Example:
        >>> from manex.metrics.cosines import cosines
        >>> image = torch.tensor([[[[0.0, 1.0]]]])
        >>> cosines(image, torch.cat([image / 2 + 0.3, 1 - image])).round(decimals=3).tolist()
        [[1.0, -1.0]]
    """
    one, other = (unit(frames - frames.mean((1, 2, 3), keepdim=True)).flatten(1) for frames in (some, others))
    return one @ other.T

"""A denoiser of images whose pixels were shuffled, as one of the images themselves."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from manex.arrays import Frames, Level
from manex.denoisers.base import Denoiser

Pixels = Int[Tensor, " pixel"]
"""A permutation of the pixels, row by row: the place that each one comes from."""


class PermutedDenoiser(Denoiser):
    """P^T D(P y) of a denoiser D of frames with shuffled pixels; J = P^T J_D P has the same eigenvalues.

    Args:
        denoiser: D, of white noise, which stays white when it is shuffled.
        order: P.

    Raises:
        ValueError: the noise is of another law.
    """

    order: Tensor
    inverse: Tensor

    def __init__(self, denoiser: Denoiser, order: Pixels) -> None:
        super().__init__()
        if not denoiser.noise.is_white:
            raise ValueError("only white noise keeps its law when the pixels are shuffled")
        self.denoiser = denoiser
        self.register_buffer("order", order)
        self.register_buffer("inverse", order.argsort())
        self.sigma_range, self.homogeneous = denoiser.sigma_range, denoiser.homogeneous
        self.blind, self.differentiable = denoiser.blind, denoiser.differentiable
        self.training = denoiser.training

    def forward(self, noisy: Frames, sigma: Level) -> Frames:
        """The clean image."""
        return shuffled(self.denoiser(shuffled(noisy, self.order), sigma), self.inverse)


def shuffled(frames: Frames, order: Pixels) -> Frames:
    """P u, all channels alike."""
    return frames.flatten(2).index_select(2, order).reshape(frames.shape)


def unshuffled(denoiser: Denoiser, seed: int, size: int) -> PermutedDenoiser:
    """A denoiser that was trained on square frames shuffled by `pixel_order(seed, ...)`, as one of the frames."""
    return PermutedDenoiser(denoiser, pixel_order(seed, size * size))


def pixel_order(seed: int, pixels: int) -> Pixels:
    """A seeded permutation."""
    return torch.from_numpy(np.random.default_rng(seed).permutation(pixels))

"""Ascent of the score: the deterministic part of Kadkhodaie and Simoncelli's coarse-to-fine sampler (2021)."""

from __future__ import annotations

from manex.arrays import FrameMap, Frames
from manex.denoisers.base import denoise


def ascend(denoiser: FrameMap, frame: Frames, steps: int) -> Frames:
    """Steps up the score towards the manifold: y <- y + (D(y) - y) / 2.

    The ascent with a fixed step and beta = 1, that is, without injecting noise. It is made for blind denoisers, which
    find the remaining noise level in the image itself.

    Args:
        denoiser: maps frames to frames, such as `denoiser.at(sigma)`.
        frame: (batch, channel, height, width).

    Raises:
        WalkError: the denoiser returned values that are not finite.

    Example:
        >>> from manex import ascend
        >>> float(ascend(lambda y: torch.ones_like(y), torch.zeros(1, 1, 2, 2), steps=2).mean())
        0.75
    """
    for _ in range(steps):
        frame = frame + (denoise(denoiser, frame) - frame) / 2
    return frame

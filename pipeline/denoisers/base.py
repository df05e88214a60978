"""What the rest of the project may ask of a denoiser."""

from __future__ import annotations

from functools import partial

from torch import nn

from pipeline.arrays import FrameMap, Frames


class Denoiser(nn.Module):
    """The clean image from a noisy one: D(y) ~ E[u | y = u + eps], eps ~ N(0, sigma^2 I).

    By Tweedie/Miyasawa D(y) = y + sigma^2 grad log p(y), so J_D = I + sigma^2 Hess log p(y) = Cov[u|y] / sigma^2.

    Attributes:
        sigma_range: noise levels, in grey levels, in which the denoiser is to be trusted; None: all.
        homogeneous: True if D(c y) = c D(y) for c > 0. The image itself is then a top eigen-direction
            of J_D (brightness), which is not motion.
        blind: True if the denoiser is not told the noise level and finds it in the image.
        differentiable: False if autograd cannot see through it, and products with J_D are finite differences.
    """

    sigma_range: tuple[float, float] | None = None
    homogeneous: bool = False
    blind: bool = False
    differentiable: bool = True

    def forward(self, noisy: Frames, sigma: float) -> Frames:
        """Denoise frames whose noise has standard deviation `sigma` (blind denoisers ignore it)."""
        raise NotImplementedError

    def at(self, sigma: float) -> FrameMap:
        """The denoiser at one noise level, as a map of frames to frames (what the geometry engine takes)."""
        return partial(self, sigma=sigma)

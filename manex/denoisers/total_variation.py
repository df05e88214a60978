"""Total variation: the image that is near, and flat except at edges."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from manex.arrays import Frames, Level
from manex.denoisers.base import Denoiser, positive

_TINY = 1e-20


class TotalVariation(Denoiser):
    """D(y) ~ argmin_u |u - y|^2 / 2 + strength sigma TV(u) (Rudin, Osher, Fatemi 1992).

    `iterations` of Chambolle's dual projection (2004), as in scikit-image, every channel on its own. The loop is
    unrolled, so that autograd gives the Jacobian of exactly what is computed.

    Args:
        strength: weight of the variation in units of sigma.
    """

    def __init__(self, strength: float = 0.6, iterations: int = 40) -> None:
        super().__init__()
        self.strength = strength
        self.iterations = iterations
        self.eval()  # nothing to train

    def forward(self, noisy: Frames, sigma: Level) -> Frames:
        """The minimiser, approximately."""
        positive(sigma, "total variation")
        weight, step = self.strength * sigma, 0.25
        down = across = torch.zeros_like(noisy)
        for _ in range(self.iterations):
            slopes = _slopes(noisy + _divergence(down, across))
            scale = 1 + step / weight * (slopes[0] ** 2 + slopes[1] ** 2 + _TINY).sqrt()
            down, across = (down + step * slopes[0]) / scale, (across + step * slopes[1]) / scale
        return noisy + _divergence(down, across)


def _slopes(image: Frames) -> tuple[Tensor, Tensor]:
    """Forward differences, zero at the far edges."""
    down = F.pad(image[..., 1:, :] - image[..., :-1, :], (0, 0, 0, 1))
    across = F.pad(image[..., :, 1:] - image[..., :, :-1], (0, 1))
    return down, across


def _divergence(down: Frames, across: Frames) -> Tensor:
    """Minus the transpose of `_slopes`."""
    return down - F.pad(down[..., :-1, :], (0, 0, 1, 0)) + across - F.pad(across[..., :, :-1], (1, 0))

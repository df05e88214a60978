"""A trained blind network as a denoiser."""

from __future__ import annotations

from typing import Literal

from torch import nn

from manex.arrays import Frames, Level
from manex.denoisers.base import Denoiser
from manex.noises.base import Noise
from manex.noises.white import White


class NetworkDenoiser(Denoiser):
    """D(y) = y - phi(y) for a network that predicts the noise, D(y) = phi(y) for one that predicts the image.

    The network is blind: it is not given the noise level.

    Args:
        module: maps frames to frames of the same shape.
        predicts: what the module returns.
        sigma_range: noise levels it was trained on, in grey levels.
        homogeneous: True for a bias-free ReLU network, where D(c y) = c D(y).
        noise: the law it was trained on.

    Example:
        >>> from manex import NetworkDenoiser
        >>> network = torch.nn.Conv2d(1, 1, 3, padding=1).eval()
        >>> NetworkDenoiser(network, sigma_range=(0.0, 60 / 255))(torch.zeros(2, 1, 8, 8), 0.1).shape
        torch.Size([2, 1, 8, 8])
    """

    blind = True

    def __init__(
        self,
        module: nn.Module,
        predicts: Literal["noise", "image"] = "noise",
        sigma_range: tuple[float, float] | None = None,
        homogeneous: bool = False,
        noise: Noise = White(),  # noqa: B008 - frozen
    ) -> None:
        super().__init__()
        if predicts not in ("noise", "image"):
            raise ValueError(f'predicts={predicts!r}: a network predicts "noise" or "image"')
        self.module = module
        self.predicts = predicts
        self.sigma_range = sigma_range
        self.homogeneous = homogeneous
        self.noise = noise
        self.training = module.training  # wrapping must not make a trained network look untrained

    def forward(self, noisy: Frames, sigma: Level) -> Frames:
        """The clean image; `sigma` is ignored."""
        predicted: Frames = self.module(noisy)
        return noisy - predicted if self.predicts == "noise" else predicted

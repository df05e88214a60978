"""A trained network that is given the noise level, as a denoiser."""

from __future__ import annotations

import torch

from manex.arrays import Frames, Level
from manex.denoisers.base import Denoiser
from manex.networks.conditional import ConditionalUNet
from manex.noises.base import Noise
from manex.noises.white import White


class ConditionalDenoiser(Denoiser):
    """D(y; sigma) of a network that is given the noise level.

    Args:
        module: reads no other frames.
        sigma_range: noise levels it was trained on, in grey levels.
        noise: the law it was trained on.
    """

    def __init__(
        self,
        module: ConditionalUNet,
        sigma_range: tuple[float, float] | None = None,
        noise: Noise = White(),  # noqa: B008 - frozen
    ) -> None:
        super().__init__()
        self.module = module
        self.sigma_range = sigma_range
        self.noise = noise
        self.training = module.training

    def forward(self, noisy: Frames, sigma: Level) -> Frames:
        """The clean image."""
        sigmas = torch.as_tensor(sigma, dtype=noisy.dtype, device=noisy.device).expand(len(noisy), 1, 1, 1)
        clean: Frames = self.module(noisy, sigmas)
        return clean

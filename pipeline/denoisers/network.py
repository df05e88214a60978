"""Trained networks as denoisers."""

from __future__ import annotations

from typing import Literal

import torch
from torch import nn

from pipeline.arrays import Frames
from pipeline.denoisers.base import Denoiser
from pipeline.networks.conditional import ConditionalUNet


class NetworkDenoiser(Denoiser):
    """D(y) = y - phi(y) for a network that predicts the noise, D(y) = phi(y) for one that predicts the image.

    The network is blind: it is not told the noise level.

    Args:
        module: maps frames to frames of the same shape.
        predicts: what the module returns.
        sigma_range: noise levels it was trained on, in grey levels.
        homogeneous: True for a bias-free ReLU network, where D(c y) = c D(y).
    """

    blind = True

    def __init__(
        self,
        module: nn.Module,
        predicts: Literal["noise", "image"] = "noise",
        sigma_range: tuple[float, float] | None = None,
        homogeneous: bool = False,
    ) -> None:
        super().__init__()
        if predicts not in ("noise", "image"):
            raise ValueError(f'predicts={predicts!r}: a network predicts "noise" or "image"')
        self.module = module
        self.predicts = predicts
        self.sigma_range = sigma_range
        self.homogeneous = homogeneous
        self.training = module.training  # wrapping must not make a trained network look untrained

    def forward(self, noisy: Frames, sigma: float) -> Frames:
        """The clean image; `sigma` is ignored."""
        predicted: Frames = self.module(noisy)
        return noisy - predicted if self.predicts == "noise" else predicted


class ConditionalDenoiser(Denoiser):
    """D(y; sigma) of a network that is told the noise level.

    Args:
        module: reads no other frames.
        sigma_range: noise levels it was trained on, in grey levels.
    """

    def __init__(self, module: ConditionalUNet, sigma_range: tuple[float, float] | None = None) -> None:
        super().__init__()
        self.module = module
        self.sigma_range = sigma_range
        self.training = module.training

    def forward(self, noisy: Frames, sigma: float) -> Frames:
        """The clean image."""
        sigmas = torch.full((len(noisy), 1, 1, 1), sigma, dtype=noisy.dtype, device=noisy.device)
        clean: Frames = self.module(noisy, sigmas)
        return clean

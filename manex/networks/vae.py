"""The convolutional variational autoencoder behind Algorithm 3.

The paper's layer table is lost. This is the "basic convolutional VAE" of common use (stride-2 convolutions, batch
norm, leaky ReLU, mirrored transposed convolutions, one last convolution) with the two facts the paper does state:
512 latent dimensions, Adam at 0.005.
"""

from __future__ import annotations

import itertools

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from manex.arrays import Frames
from manex.networks.padding import pad_to_multiple

_STAGES = (32, 64, 128, 256)


class VAE(nn.Module):
    """Encode frames to a Gaussian in latent space, decode latents to frames in [0, 1].

    Args:
        channels: image channels.
        size: image side in pixels.
        latent: latent dimensions.
    """

    def __init__(self, channels: int = 1, size: int = 20, latent: int = 512) -> None:
        super().__init__()
        self.size = size
        self.grid = -(-size // 2 ** len(_STAGES))
        features = _STAGES[-1] * self.grid**2
        self.encoder = nn.Sequential(
            *(down(a, b) for a, b in zip((channels, *_STAGES), _STAGES, strict=False)), nn.Flatten()
        )
        self.mean = nn.Linear(features, latent)
        self.log_variance = nn.Linear(features, latent)
        self.unflatten = nn.Sequential(
            nn.Linear(latent, features), nn.Unflatten(1, (_STAGES[-1], self.grid, self.grid))
        )
        widths = (*reversed(_STAGES), _STAGES[0])
        self.decoder = nn.Sequential(
            *(up(a, b) for a, b in itertools.pairwise(widths)),
            nn.Conv2d(_STAGES[0], channels, 3, padding=1),
            nn.Sigmoid(),
        )

    def encode(self, frames: Frames) -> tuple[Float[Tensor, "batch latent"], Float[Tensor, "batch latent"]]:
        """Mean and log-variance of q(z|u)."""
        features = self.encoder(pad_to_multiple(frames, 2 ** len(_STAGES)))
        return self.mean(features), self.log_variance(features)

    def decode(self, latents: Float[Tensor, "batch latent"]) -> Frames:
        """The mean frame of p(u|z)."""
        frames: Tensor = self.decoder(self.unflatten(latents))
        return frames[..., : self.size, : self.size]

    def loss(self, frames: Frames, divergence_weight: float, generator: Generator) -> Float[Tensor, ""]:
        """Mean squared reconstruction error + weight * KL(q(z|u) || N(0, I)), both per frame."""
        mean, log_variance = self.encode(frames)
        draw = torch.randn(mean.shape, generator=generator).to(mean.device)
        latents = mean + draw * (0.5 * log_variance).exp()
        divergence = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(dim=1).mean()
        return ((self.decode(latents) - frames) ** 2).mean() + divergence_weight * divergence


def down(inputs: int, outputs: int) -> nn.Sequential:
    """Half the size."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride=2, padding=1), nn.BatchNorm2d(outputs), nn.LeakyReLU())


def up(inputs: int, outputs: int) -> nn.Sequential:
    """Twice the size."""
    return nn.Sequential(nn.ConvTranspose2d(inputs, outputs, 2, stride=2), nn.BatchNorm2d(outputs), nn.LeakyReLU())

"""Algorithm 3: linear extrapolation in the latent space of a variational autoencoder."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from pipeline.arrays import Frames
from pipeline.config.methods import Latent
from pipeline.extrapolators.base import ItemNoise, WalkState, first_velocity
from pipeline.networks.vae import VAE


@torch.no_grad()
def latent(vae: VAE, first: Frames, second: Frames, cfg: Latent, noise: ItemNoise) -> Iterator[WalkState]:
    """Encode both frames (to the mean of q(z|u)), step along their difference, decode, for ever.

    Nothing here is random, so trials agree. Sampling the code instead would bury the velocity in noise.

    Args:
        first, second: clean frames in [0, 1].
    """
    first_velocity(first, second)
    (previous, _), (current, _) = vae.encode(first), vae.encode(second)
    while True:
        previous, current = current, current + cfg.eta * (current - previous)
        yield WalkState(vae.decode(current))

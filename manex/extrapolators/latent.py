"""Algorithm 3: linear extrapolation in the latent space of a variational autoencoder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import torch
from pydantic import PositiveFloat

from manex.arrays import Frames
from manex.extrapolators.base import Walk, WalkState, first_velocity
from manex.networks.vae import VAE
from manex.noises.draws import ItemNoise


class Latent(Walk):
    """Algorithm 3: linear extrapolation in the autoencoder's latent space."""

    takes: ClassVar[type] = VAE
    default_model: ClassVar[str] = "vae"
    default_block: ClassVar[str] = "manifold"

    eta: PositiveFloat


@torch.no_grad()
def latent(vae: VAE, first: Frames, second: Frames, cfg: Latent, noise: ItemNoise) -> Iterator[WalkState]:
    """Encode both frames (to the mean of q(z|u)), step along their difference, decode, endlessly.

    Nothing here is random, so trials agree. Sampling the code instead would bury the velocity in noise.

    Args:
        first, second: clean frames in [0, 1].
    """
    first_velocity(first, second)
    (previous, _), (current, _) = vae.encode(first), vae.encode(second)
    while True:
        previous, current = current, current + cfg.eta * (current - previous)
        yield WalkState(vae.decode(current))

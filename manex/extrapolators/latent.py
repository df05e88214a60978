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
    """Linear extrapolation in the latent space of a variational autoencoder.

    Source: the paper's Algorithm 3. Takes a trained `manex.networks.vae.VAE`.

    Example:
        >>> from manex import ItemNoise, Latent
        >>> from manex.extrapolators.walk import walk
        >>> from manex.networks.vae import VAE
        >>> video = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> states = walk(Latent(eta=1), VAE(size=8, latent=4).eval(), video[:1], video[1:], ItemNoise([(0,)]))
        >>> next(states).frame.shape
        torch.Size([1, 1, 8, 8])
    """

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

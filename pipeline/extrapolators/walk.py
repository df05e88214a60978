"""From settings to frames: the one entry point of all extrapolators."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from torch import nn

from pipeline.arrays import Frames
from pipeline.config.methods import Latent, Linear, Method, TangentFlow
from pipeline.denoisers.base import Denoiser
from pipeline.extrapolators.base import ItemNoise, WalkState
from pipeline.extrapolators.latent import latent
from pipeline.extrapolators.linear import linear
from pipeline.extrapolators.tangent_flow import tangent_flow
from pipeline.extrapolators.tangent_space import tangent_space
from pipeline.networks.vae import VAE


def walk(cfg: Method, model: nn.Module, first: Frames, second: Frames, noise: ItemNoise) -> Iterator[WalkState]:
    """The `cfg.frames` frames that follow two given ones, for every item of the batch at once.

    Args:
        model: a VAE for Algorithm 3, a denoiser for all others.
        first, second: clean frames in [0, 1].
        noise: a stream for every item.
    """
    if isinstance(cfg, Latent):
        assert isinstance(model, VAE)
        states = latent(model, first, second, cfg)
    else:
        assert isinstance(model, Denoiser)
        if isinstance(cfg, Linear):
            states = linear(model, first, second, cfg, noise)
        elif isinstance(cfg, TangentFlow):
            states = tangent_flow(model, first, second, cfg, noise)
        else:
            states = tangent_space(model, first, second, cfg, noise)
    yield from islice(states, cfg.frames)

"""Networks that were trained to predict videos: more supervision than ours, which sees no order."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from itertools import count, islice

import torch

from pipeline.arrays import Frames
from pipeline.config.rivals import MCVD, RNNODE
from pipeline.extrapolators.base import ItemNoise, WalkState, first_velocity
from pipeline.extrapolators.ddim import ddim, levels
from pipeline.networks import rnn_ode as networks
from pipeline.networks.conditional import ConditionalUNet, Given


@torch.no_grad()
def rnn_ode(
    network: networks.RNNODE, first: Frames, second: Frames, cfg: RNNODE, noise: ItemNoise
) -> Iterator[WalkState]:
    """Encode both frames to one code, let the ODE move it, decode, for ever. Nothing here is random.

    Args:
        first, second: clean frames in [0, 1].
    """
    first_velocity(first, second)
    inner = math.ceil(cfg.speed)
    codes = network.walk(network.encode(torch.stack([first, second], 1)), cfg.speed / inner)
    for code in islice(codes, inner - 1, None, inner):
        yield WalkState(network.decode(code))


def mcvd(network: ConditionalUNet, first: Frames, second: Frames, cfg: MCVD, noise: ItemNoise) -> Iterator[WalkState]:
    """Draw the next frames given the last two, for ever, and show those that the speed asks for.

    Masked conditional video diffusion (Voleti, Jolicoeur-Martineau, Pal 2022), concat, block-wise autoregressive.

    Args:
        first, second: clean frames in [0, 1].
    """
    first_velocity(first, second)
    drawn = _drawn(network, first, second, cfg, noise)
    current, shown = second, 0
    for step in count(1):
        while shown < round(step * cfg.speed):
            current, shown = next(drawn), shown + 1
        yield WalkState(current)


def _drawn(network: ConditionalUNet, first: Frames, second: Frames, cfg: MCVD, noise: ItemNoise) -> Iterator[Frames]:
    """Frame after frame, at the rate of the training clips."""
    sigmas, channels = levels(cfg), first.shape[1]
    previous, current = first, second
    while True:
        given = torch.cat([previous, current], 1)
        start = sigmas[0] * noise.like(first.repeat(1, network.channels // channels, 1, 1))
        block = ddim(partial(_denoised, network, given), start, [*sigmas, 0.0]).clamp(0, 1)
        for frame in block.split(channels, 1):
            previous, current = current, frame
            yield frame


def _denoised(network: ConditionalUNet, given: Given, noisy: Frames, sigma: float) -> Frames:
    sigmas = torch.full((len(noisy), 1, 1, 1), sigma, dtype=noisy.dtype, device=noisy.device)
    clean: Frames = network(noisy, sigmas, given)
    return clean

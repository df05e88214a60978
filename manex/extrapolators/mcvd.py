"""Masked conditional video diffusion: more supervision than ours, since it is trained on ordered clips."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import ClassVar

import torch
from pydantic import Field, PositiveFloat

from manex.arrays import Frames
from manex.extrapolators.base import Walk, WalkState, first_velocity
from manex.networks.conditional import ConditionalUNet, Given
from manex.noises.draws import ItemNoise
from manex.samplers.ddim import DDIM, ddim, levels


class MCVD(Walk, DDIM):
    """The next frames by diffusion, given the last two; a speed that is not whole shows the nearest frames.

    Source: Voleti, Jolicoeur-Martineau, Pal (2022). Takes a `manex.networks.conditional.ConditionalUNet`, trained on
    ordered clips.

    Example:
        >>> from manex import ItemNoise, MCVD
        >>> from manex.extrapolators.walk import walk
        >>> from manex.networks.conditional import ConditionalUNet
        >>> network = ConditionalUNet(channels=1, widths=(4, 8), given=2).eval()
        >>> video = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> next(walk(MCVD(steps=2), network, video[:1], video[1:], ItemNoise([(0,)]))).frame.shape
        torch.Size([1, 1, 8, 8])
    """

    takes: ClassVar[type] = ConditionalUNet
    default_model: ClassVar[str] = "mcvd"
    default_block: ClassVar[str] = "supervised"

    speed: PositiveFloat = Field(1.0, description="frames of a training clip from one output frame to the next")


def mcvd(network: ConditionalUNet, first: Frames, second: Frames, cfg: MCVD, noise: ItemNoise) -> Iterator[WalkState]:
    """Draw the next frames given the last two, endlessly, and show those that the speed asks for.

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

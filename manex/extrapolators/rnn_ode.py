"""The latent-ODE video model: more supervision than ours, since it is trained on ordered clips."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import islice
from typing import ClassVar

import torch
from pydantic import Field, PositiveFloat

from manex.arrays import Frames
from manex.extrapolators.base import Walk, WalkState, first_velocity
from manex.networks import rnn_ode as networks
from manex.noises.draws import ItemNoise


class RNNODE(Walk):
    """The code of two frames, moved by a neural ODE.

    Source: Voleti's thesis (2023), chapter 3. Takes a `manex.networks.rnn_ode.RNNODE`, trained on ordered clips.

    Example:
        >>> from manex import ItemNoise, RNNODE
        >>> from manex.extrapolators.walk import walk
        >>> from manex.networks import rnn_ode
        >>> network = rnn_ode.RNNODE(size=8, latent=4, hidden=8).eval()
        >>> video = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> next(walk(RNNODE(speed=1.5), network, video[:1], video[1:], ItemNoise([(0,)]))).frame.shape
        torch.Size([1, 1, 8, 8])
    """

    takes: ClassVar[type] = networks.RNNODE
    default_model: ClassVar[str] = "rnn_ode"
    default_block: ClassVar[str] = "supervised"

    speed: PositiveFloat = Field(1.0, description="frames of a training clip from one output frame to the next")


@torch.no_grad()
def rnn_ode(
    network: networks.RNNODE, first: Frames, second: Frames, cfg: RNNODE, noise: ItemNoise
) -> Iterator[WalkState]:
    """Encode both frames to one code, let the ODE move it, decode, endlessly. Nothing here is random.

    Args:
        first, second: clean frames in [0, 1].
    """
    first_velocity(first, second)
    inner = math.ceil(cfg.speed)
    codes = network.walk(network.encode(torch.stack([first, second], 1)), cfg.speed / inner)
    for code in islice(codes, inner - 1, None, inner):
        yield WalkState(network.decode(code))

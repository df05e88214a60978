"""Algorithm 2, the paper's baseline: the velocity between noisy frames, repeated."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import PositiveFloat

from manex.arrays import Frames, unit
from manex.denoisers.base import Denoiser, denoise
from manex.extrapolators.base import Denoised, WalkState, first_velocity
from manex.noises.draws import ItemNoise


class Linear(Denoised):
    """The velocity between noisy frames, repeated.

    Source: the paper's Algorithm 2. Takes a `Denoiser`.

    Example:
        >>> from manex import DiracMixture, ItemNoise, Linear
        >>> from manex.extrapolators.walk import walk
        >>> video = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> states = walk(Linear(sigma=25 / 255, eta=1), DiracMixture(video), video[:1], video[1:2], ItemNoise([(0,)]))
        >>> next(states).frame.shape
        torch.Size([1, 1, 8, 8])
    """

    eta: PositiveFloat


def linear(denoiser: Denoiser, first: Frames, second: Frames, cfg: Linear, noise: ItemNoise) -> Iterator[WalkState]:
    """Step along the last velocity in noisy space, denoise, add noise, endlessly.

    Args:
        first, second: clean frames in [0, 1].
    """
    first_velocity(first, second)
    clean = denoiser.at(cfg.sigma)
    previous, current = (u + cfg.sigma * noise.like(u) for u in (first, second))
    while True:
        velocity = current - previous
        frame = denoise(clean, current + cfg.eta * velocity)
        yield WalkState(frame, unit(velocity))
        previous, current = current, frame + cfg.sigma * noise.like(frame)

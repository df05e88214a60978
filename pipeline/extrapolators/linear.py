"""Algorithm 2, the paper's baseline: the velocity between noisy frames, repeated."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.arrays import Frames
from pipeline.config.methods import Linear
from pipeline.denoisers.base import Denoiser
from pipeline.extrapolators.base import ItemNoise, WalkState, denoise, first_velocity, unit


def linear(denoiser: Denoiser, first: Frames, second: Frames, cfg: Linear, noise: ItemNoise) -> Iterator[WalkState]:
    """Step along the last velocity in noisy space, denoise, add noise, for ever.

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

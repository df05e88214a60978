"""Ancestral sampling: diffusion models run backwards in time, with new noise in every step."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from manex.arrays import Frames
from manex.denoisers.base import Denoiser
from manex.noises.draws import ItemNoise
from manex.samplers.base import SampleState
from manex.samplers.ddim import DDIM, levels
from manex.samplers.plug_and_play import repeated


class Ancestral(DDIM):
    """The noise levels on the way down: those of DDIM."""


def ancestral(denoiser: Denoiser, start: Frames, cfg: Ancestral, noise: ItemNoise) -> Iterator[SampleState]:
    """y' = D + r (y - D) + sigma' (1 - r)^(1/2) z with D = D(y; sigma) and r = (sigma' / sigma)^2.

    Source: Ho, Jain, Abbeel 2020, eq. (7), with noise that is added and not mixed in: the law of y' given y if D were
    the image. So it is exact where the denoiser is sure, and comes nearer to the prior with more levels.

    Args:
        start: noise of level `sigma_max` around the mean of the images, one item per sample.
        noise: one stream per item, of the denoiser's law.

    Yields:
        One state per level. `level` is that of the last one; the sample is the last `clean`.

    Example:
        >>> from manex import DiracMixture, ItemNoise
        >>> from manex.samplers.ancestral import Ancestral, ancestral
        >>> frames = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> noise, cfg = ItemNoise([(0, item) for item in range(3)]), Ancestral()
        >>> *_, end = ancestral(DiracMixture(frames), 0.5 + cfg.sigma_max * noise.like(frames[:3]), cfg, noise)
        >>> bool((torch.cdist(end.clean.flatten(1), frames.flatten(1)).min(1).values < 0.01).all())
        True
    """
    ways = pairwise(levels(cfg))

    def step(frame: Frames) -> tuple[Frames, Frames]:
        now, then = next(ways)
        clean, share = denoiser(frame, now), (then / now) ** 2
        return clean + share * (frame - clean) + then * (1 - share) ** 0.5 * noise.like(frame), clean

    return repeated(step, start, cfg.steps, cfg.sigma_min)

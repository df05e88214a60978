"""Langevin dynamics at one noise level: images with their noise, from the score that a denoiser is."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field, PositiveInt

from manex.arrays import Frames
from manex.denoisers.base import Denoiser
from manex.noises.draws import ItemNoise
from manex.samplers.base import SampleState
from manex.samplers.plug_and_play import repeated
from manex.settings import GreyLevel, Section


class Langevin(Section):
    """The noise level, which is the length of the steps, too."""

    sigma: GreyLevel = Field(25 / 255, description="noise level of the images that are drawn")
    steps: PositiveInt = Field(500, description="calls of the denoiser")


def langevin(denoiser: Denoiser, start: Frames, cfg: Langevin, noise: ItemNoise) -> Iterator[SampleState]:
    """y <- y + (D(y; sigma) - y) / 2 + sigma z, that is y + sigma^2 / 2 grad log p(y) + sigma z by Tweedie.

    Source: Kadkhodaie, Guth, Simoncelli, Mallat 2024, section 1, where z lacks its sigma. It draws images *with* noise
    of level sigma, so `clean` is the image. The steps are long: a direction of variance c ends with the variance
    (c + sigma^2) / (1 - sigma^2 / (4 (c + sigma^2))) in place of c + sigma^2.

    Args:
        start: (batch, channel, height, width), anywhere near the images.
        noise: one stream per item, of the denoiser's law.

    Example:
        >>> from manex import DiracMixture, ItemNoise
        >>> from manex.samplers.langevin import Langevin, langevin
        >>> frames = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> noise = ItemNoise([(0, item) for item in range(3)])
        >>> *_, end = langevin(DiracMixture(frames), 0.5 + noise.like(frames[:3]), Langevin(sigma=0.1, steps=50), noise)
        >>> bool((torch.cdist(end.clean.flatten(1), frames.flatten(1)).min(1).values < 0.01).all())
        True
    """

    def step(frame: Frames) -> tuple[Frames, Frames]:
        clean = denoiser(frame, cfg.sigma)
        return frame + (clean - frame) / 2 + cfg.sigma * noise.like(frame), clean

    return repeated(step, start, cfg.steps, cfg.sigma)

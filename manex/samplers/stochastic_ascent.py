"""Coarse-to-fine stochastic ascent: images from the prior of a denoiser, given measurements or not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt, model_validator
from torch import Tensor

from manex.arrays import Frames
from manex.denoisers.base import Denoiser
from manex.measurements.base import Measurement
from manex.noises.draws import ItemNoise
from manex.samplers.base import SampleState
from manex.settings import GreyLevel, Section

DIVERGED = 2.0
"""An image with this many times the noise of the start has left all images. The authors' code stops at level 2, too."""

Fraction = Annotated[float, Field(gt=0, le=1)]


class StochasticAscent(Section):
    """The way down from noise.

    Source: Kadkhodaie and Simoncelli 2021 (Solving linear inverse problems using the prior implicit in a denoiser),
    Algorithm 1, and Algorithm 2 where there are measurements.

    Example:
        >>> from manex import DiracMixture, ItemNoise, StochasticAscent, stochastic_ascent
        >>> frames = torch.rand(10, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> start = 0.5 + torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(1))
        >>> noise = ItemNoise([(0, item) for item in range(4)])
        >>> *_, end = stochastic_ascent(DiracMixture(frames), start, StochasticAscent(beta=0.5), noise)
        >>> bool((torch.cdist(end.clean.flatten(1), frames.flatten(1)).min(1).values < 0.01).all())
        True
    """

    sigma_start: GreyLevel = Field(1.0, description="noise level of the start")
    sigma_end: GreyLevel = Field(0.01, description="an image with less noise is done")
    h: Fraction = Field(0.01, description="first step, as a share of the way to the denoised image")
    beta: Fraction = Field(0.1, description="1: no noise is added; near 0: much, and many small steps of the level")
    growing: bool = Field(True, description="whether steps grow, h t / (1 + h (t - 1)); False: all are h")
    most: PositiveInt = Field(5000, description="steps after which an image is done in any case")

    @model_validator(mode="after")
    def _falls(self) -> StochasticAscent:
        if self.sigma_end >= self.sigma_start:
            raise ValueError(f"sigma_end={self.sigma_end:g} must be below sigma_start={self.sigma_start:g}")
        return self

    def step(self, t: int) -> float:
        """h_t, for t = 1, 2, ..."""
        return self.h * t / (1 + self.h * (t - 1)) if self.growing else self.h


@torch.no_grad()
def stochastic_ascent(
    denoiser: Denoiser,
    start: Frames,
    cfg: StochasticAscent,
    noise: ItemNoise,
    measurement: Measurement | None = None,
    values: Float[Tensor, "batch measured"] | None = None,
) -> Iterator[SampleState]:
    """y <- y + h d + gamma z, where d = D(y) - y and gamma^2 = ((1 - beta h)^2 - (1 - h)^2) sigma^2.

    So the noise level falls by the factor 1 - beta h. A blind denoiser tells it: sigma = |D(y) - y| / sqrt(N). One that
    is told gets the schedule instead: where much of the noise passes, |D(y) - y| is less than sigma. With measurements
    c = R u, what is measured of d is c - R y instead, and the rest stays. The last `clean` of each item is the sample.

    It is no exact sampler: for a Gaussian prior the conditional mean is right as beta -> 0, the variance too small.

    Args:
        start: noise of level `sigma_start` around the mean of the images, one item per sample.
        noise: one stream per item.
        measurement, values: R and c, or neither.

    Raises:
        ValueError: a measurement without values or the reverse, or values that do not fit.

    Example:
        >>> from manex import DiracMixture, Hole, ItemNoise, StochasticAscent, hole, stochastic_ascent
        >>> frames = torch.rand(10, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> start = 0.5 + torch.randn(1, 1, 8, 8, generator=torch.Generator().manual_seed(1))
        >>> around = hole(Hole(top=2, left=2, height=4, width=4), (1, 8, 8))
        >>> given, noise = around.measure(frames[:1]), ItemNoise([(0,)])
        >>> *_, end = stochastic_ascent(DiracMixture(frames), start, StochasticAscent(), noise, around, given)
        >>> bool(torch.allclose(end.clean, frames[:1], atol=0.01))
        True
    """
    if (measurement is None) != (values is None):
        raise ValueError("a measurement and its values are needed together")
    if measurement is not None and values is not None and values.shape != (len(start), len(measurement.rows)):
        raise ValueError(f"{(len(start), len(measurement.rows))} values are needed, not {tuple(values.shape)}")
    frame, clean = start.clone(), start.clone()
    level = start.new_full((len(start),), cfg.sigma_start)
    going, diverged = torch.ones_like(level, dtype=torch.bool), torch.zeros_like(level, dtype=torch.bool)
    scheduled = cfg.sigma_start
    for t in range(1, cfg.most + 1):
        index = going.nonzero()[:, 0]
        now = frame[index]
        seen = denoiser(now, scheduled)
        finite = seen.flatten(1).isfinite().all(1)
        clean[index] = torch.where(finite[:, None, None, None], seen, clean[index])
        away = clean[index] - now
        if measurement is not None and values is not None:
            away = away - measurement.inside(away) + measurement.lift(values[index] - measurement.measure(now))
        level[index] = away.square().mean((1, 2, 3)).sqrt() if denoiser.blind else scheduled
        lost = (level > DIVERGED * cfg.sigma_start) & going
        lost[index] |= ~finite
        diverged, going = diverged | lost, going & ~lost & (level > cfg.sigma_end)
        if not going.any() or t == cfg.most:
            going = torch.zeros_like(going)
            yield SampleState(frame.clone(), clean.clone(), level.clone(), going, diverged)
            return
        h = cfg.step(t)
        gamma = max((1 - cfg.beta * h) ** 2 - (1 - h) ** 2, 0) ** 0.5
        drawn = noise.like(frame)  # for all, so that an item's noise does not depend on when others are done
        moving = going[index]
        index = index[moving]
        frame[index] += h * away[moving] + gamma * level[index, None, None, None] * drawn[index]
        scheduled *= 1 - cfg.beta * h
        yield SampleState(frame.clone(), clean.clone(), level.clone(), going.clone(), diverged.clone())

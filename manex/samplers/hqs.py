"""Half-quadratic splitting with a falling noise level (Zhang, Zuo, Gu, Zhang 2017)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pydantic import Field, PositiveInt, model_validator

from manex.arrays import Frames
from manex.denoisers.base import Denoiser
from manex.samplers.base import SampleState
from manex.samplers.plug_and_play import Problem, repeated
from manex.settings import GreyLevel, Section


class HQS(Section):
    """The noise levels, evenly spaced in their logarithms."""

    sigma_start: GreyLevel = Field(100 / 255, description="first noise level")
    sigma_end: GreyLevel = Field(4 / 255, description="last noise level")
    steps: PositiveInt = Field(30, description="calls of the denoiser")

    @model_validator(mode="after")
    def _falls(self) -> HQS:
        if self.sigma_end > self.sigma_start:
            raise ValueError(f"sigma_end={self.sigma_end:g} must not be above sigma_start={self.sigma_start:g}")
        return self


def hqs(denoiser: Denoiser, start: Frames, cfg: HQS, problem: Problem) -> Iterator[SampleState]:
    """x <- D(prox(x); sigma) with a sigma that falls.

    Example:
        >>> from manex import DiracMixture, Hole, hole
        >>> from manex.samplers.hqs import HQS, hqs
        >>> from manex.samplers.plug_and_play import Problem
        >>> frames = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> around = hole(Hole(top=2, left=2, height=4, width=4), (1, 8, 8))
        >>> problem = Problem(around, around.measure(frames[:1]), noise=2 / 255)
        >>> *_, end = hqs(DiracMixture(frames), around.inside(frames[:1]), HQS(), problem)
        >>> bool((end.frame - frames[:1]).abs().max() < 1e-3)
        True
    """
    levels = iter(np.geomspace(cfg.sigma_start, cfg.sigma_end, cfg.steps).tolist())

    def step(frame: Frames) -> tuple[Frames, Frames]:
        sigma = next(levels)
        clean = denoiser(problem.proximal(frame, sigma), sigma)
        return clean, clean

    return repeated(step, start, cfg.steps, cfg.sigma_end)

"""Plug-and-play proximal gradient descent (Kamilov, Mansour, Wohlberg 2017)."""

from __future__ import annotations

from collections.abc import Iterator

from manex.arrays import Frames
from manex.denoisers.base import Denoiser
from manex.samplers.base import SampleState
from manex.samplers.plug_and_play import PlugAndPlay, Problem, repeated


class PGD(PlugAndPlay):
    """Steps of sigma^2 down the data term, each denoised."""


def pgd(denoiser: Denoiser, start: Frames, cfg: PGD, problem: Problem) -> Iterator[SampleState]:
    """x <- D(x + min(sigma^2 / noise^2, 1) R^T (c - R x); sigma).

    With an exact Gaussian denoiser the fixed point is the posterior mean for noise of level max(sigma, noise) in the
    measurements: a longer step would not converge.

    Example:
        >>> from manex import DiracMixture, Hole, hole
        >>> from manex.samplers.pgd import PGD, pgd
        >>> from manex.samplers.plug_and_play import Problem
        >>> frames = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> around = hole(Hole(top=2, left=2, height=4, width=4), (1, 8, 8))
        >>> problem = Problem(around, around.measure(frames[:1]), noise=2 / 255)
        >>> *_, end = pgd(DiracMixture(frames), around.inside(frames[:1]), PGD(), problem)
        >>> bool((end.frame - frames[:1]).abs().max() < 1e-3)
        True
    """
    share = min(cfg.sigma**2 / problem.noise**2, 1.0) if problem.noise else 1.0

    def step(frame: Frames) -> tuple[Frames, Frames]:
        clean = denoiser(frame + share * problem.gap(frame), cfg.sigma)
        return clean, clean

    return repeated(step, start, cfg.steps, cfg.sigma)

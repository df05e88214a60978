"""Plug-and-play ADMM (Venkatakrishnan, Bouman, Wohlberg 2013)."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from manex.arrays import Frames
from manex.denoisers.base import Denoiser
from manex.samplers.base import SampleState
from manex.samplers.plug_and_play import PlugAndPlay, Problem, repeated


class ADMM(PlugAndPlay):
    """The data term and the denoiser by turns, with what is still between them."""


def admm(denoiser: Denoiser, start: Frames, cfg: ADMM, problem: Problem) -> Iterator[SampleState]:
    """x = prox(v - w), v = D(x + w; sigma), w <- w + x - v; `frame` is v.

    With an exact Gaussian denoiser the fixed point is the posterior mean.

    Example:
        >>> from manex import DiracMixture, Hole, hole
        >>> from manex.samplers.admm import ADMM, admm
        >>> from manex.samplers.plug_and_play import Problem
        >>> frames = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> around = hole(Hole(top=2, left=2, height=4, width=4), (1, 8, 8))
        >>> problem = Problem(around, around.measure(frames[:1]), noise=2 / 255)
        >>> *_, end = admm(DiracMixture(frames), around.inside(frames[:1]), ADMM(), problem)
        >>> bool((end.frame - frames[:1]).abs().max() < 1e-3)
        True
    """
    between = torch.zeros_like(start)

    def step(frame: Frames) -> tuple[Frames, Frames]:
        nonlocal between
        near = problem.proximal(frame - between, cfg.sigma)
        clean = denoiser(near + between, cfg.sigma)
        between = between + near - clean
        return clean, clean

    return repeated(step, start, cfg.steps, cfg.sigma)

"""Regularisation by denoising (Romano, Elad, Milanfar 2017), by gradient descent."""

from __future__ import annotations

from collections.abc import Iterator

from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor

from manex.arrays import Frames
from manex.denoisers.base import Denoiser
from manex.samplers.base import SampleState
from manex.samplers.plug_and_play import PlugAndPlay, Problem, repeated


class RED(PlugAndPlay):
    """Descent of data term and denoiser at once."""

    steps: PositiveInt = Field(150, description="calls of the denoiser")


def red(denoiser: Denoiser, start: Frames, cfg: RED, problem: Problem) -> Iterator[SampleState]:
    """x <- x + mu (R^T (c - R x) / noise^2 + (D(x; sigma) - x) / sigma^2), 1 / mu = 1 / noise^2 + 1 / sigma^2.

    By Tweedie (D - x) / sigma^2 is the score of the images with noise of level sigma. With an exact Gaussian denoiser
    the fixed point is the posterior mean under *that* prior. It descends `energy` only where that has this gradient.

    Example:
        >>> from manex import DiracMixture, Hole, hole
        >>> from manex.samplers.plug_and_play import Problem
        >>> from manex.samplers.red import RED, red
        >>> frames = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> around = hole(Hole(top=2, left=2, height=4, width=4), (1, 8, 8))
        >>> problem = Problem(around, around.measure(frames[:1]), noise=15 / 255)
        >>> *_, end = red(DiracMixture(frames), around.inside(frames[:1]), RED(), problem)
        >>> bool((end.frame - frames[:1]).abs().max() < 1e-3)
        True
    """
    data, prior = problem.noise**-2, cfg.sigma**-2

    def step(frame: Frames) -> tuple[Frames, Frames]:
        clean = denoiser(frame, cfg.sigma)
        uphill = data * problem.gap(frame) + prior * (clean - frame)
        return frame + uphill / (data + prior), clean

    return repeated(step, start, cfg.steps, cfg.sigma)


def energy(frame: Frames, clean: Frames, problem: Problem, sigma: float) -> Float[Tensor, " batch"]:
    """|c - R x|^2 / (2 noise^2) + x^T (x - D(x)) / (2 sigma^2), which the paper minimises.

    Its gradient is the one of `red` only if D is homogeneous and its Jacobian symmetric (Reehorst and Schniter 2019).
    No step of `red` raises it then, if the eigenvalues of the Jacobian are in [0, 1], too.

    Args:
        frame, clean: x and D(x; sigma).
    """
    measured = (problem.values - problem.measurement.measure(frame)).square().sum(1)
    prior = (frame * (frame - clean)).sum((1, 2, 3))
    return measured / (2 * problem.noise**2) + prior / (2 * sigma**2)

"""What measurements tell of an image, in closed form: the conditional means of two priors."""

from __future__ import annotations

import torch

from manex.arrays import Frames, precise
from manex.denoisers.mixture import DiracMixture
from manex.denoisers.wiener import Wiener
from manex.samplers.plug_and_play import Problem


def gaussian_mean(prior: Wiener, problem: Problem) -> Frames:
    """E[u | c] of a Gaussian prior, m + C R^T (R C R^T + noise^2 I)^-1 (c - R m): the best affine estimator.

    Returns:
        (batch, channel, height, width), computed in float64.

    Example:
        >>> from manex import Hole, hole
        >>> from manex.denoisers.wiener import Wiener
        >>> from manex.samplers.conditional import gaussian_mean
        >>> from manex.samplers.plug_and_play import Problem
        >>> frames = torch.rand(9, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> around = hole(Hole(top=2, left=2, height=4, width=4), (1, 8, 8))
        >>> problem = Problem(around, around.measure(frames[:1]), noise=1e-3)
        >>> bool((gaussian_mean(Wiener(frames), problem) - frames[:1]).abs().max() < 0.01)
        True
    """
    rows, axes = precise(problem.measurement.rows.to(prior.axes.device)), precise(prior.axes)
    seen, spread = rows @ axes.T, precise(prior.variances)
    inner = (seen * spread) @ seen.T + problem.noise**2 * torch.eye(len(rows)).to(seen)
    apart = precise(problem.values) - precise(prior.mean).flatten() @ rows.T
    moved = torch.linalg.solve(inner, apart.T).T @ seen * spread @ axes
    mean: Frames = prior.mean + moved.unflatten(1, problem.measurement.shape).to(prior.mean)
    return mean


def mixture_mean(prior: DiracMixture, problem: Problem) -> Frames:
    """E[u | c] of a finite set of images: they count as exp(-|c - R x_i|^2 / (2 noise^2)).

    Example:
        >>> from manex import DiracMixture, Hole, hole
        >>> from manex.samplers.conditional import mixture_mean
        >>> from manex.samplers.plug_and_play import Problem
        >>> frames = torch.rand(9, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> around = hole(Hole(top=2, left=2, height=4, width=4), (1, 8, 8))
        >>> problem = Problem(around, around.measure(frames[:1]), noise=2 / 255)
        >>> torch.equal(mixture_mean(DiracMixture(frames), problem), frames[:1])
        True
    """
    apart = torch.cdist(precise(problem.values), precise(problem.measurement.measure(prior.atoms)))
    weights = torch.softmax(-apart.square() / (2 * problem.noise**2), 1).to(prior.atoms)
    mean: Frames = (weights @ prior.atoms.flatten(1)).unflatten(1, problem.measurement.shape)
    return mean

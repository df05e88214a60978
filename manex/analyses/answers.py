"""What each method makes of the measurements of some images: closed forms, the ascent, plug-and-play methods."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from manex.analyses.base import Subject
from manex.analyses.samples import most_noise
from manex.arrays import Frames
from manex.denoisers.memoriser import Memoriser
from manex.denoisers.wiener import Wiener
from manex.noises.draws import ItemNoise
from manex.samplers.admm import ADMM, admm
from manex.samplers.base import SampleState
from manex.samplers.conditional import gaussian_mean, mixture_mean
from manex.samplers.counted import counted
from manex.samplers.hqs import HQS, hqs
from manex.samplers.pgd import PGD, pgd
from manex.samplers.plug_and_play import Problem
from manex.samplers.red import RED, energy, red
from manex.samplers.stochastic_ascent import StochasticAscent, stochastic_ascent

MEAN = -1
"""The number of a sample that stands for the mean of all, or for the only answer of a method."""

BATCH = 50
"""Samples that are drawn at once: more do not fit into a processor's cache, and take longer for each."""


@dataclass(frozen=True, eq=False)
class Answer:
    """One image for each measured one.

    Attributes:
        sampler: the method.
        before, clean: as they were before the last denoising, and after it.
        steps: calls of the denoiser.
        denoiser: "" for closed forms.
        sample: number among the samples of an image.
        energy_rise: of RED, the largest rise of its energy in a step, as a share of the energy's range.
    """

    sampler: str
    before: Frames
    clean: Frames
    steps: Int[Tensor, " image"]
    diverged: Bool[Tensor, " image"]
    denoiser: str = ""
    beta: float = math.nan
    sample: int = MEAN
    energy_rise: Float[Tensor, " image"] | None = None


def closed_forms(problem: Problem, gaussian: Wiener, memory: Memoriser) -> Iterator[Answer]:
    """What is known without a network: R^T c, the best affine estimator, the mean of the training frames given c."""
    found = {
        "pseudo_inverse": problem.measurement.lift(problem.values),
        "gaussian": gaussian_mean(gaussian, problem),
        "memoriser": mixture_mean(memory, problem),
    }
    none = torch.zeros(len(problem.values), dtype=torch.int32, device=problem.values.device)
    for name, frames in found.items():
        yield Answer(name, frames, frames, none, none > 0)


def ascended(
    subject: Subject, problem: Problem, start: Frames, cfg: StochasticAscent, samples: int, seed: int
) -> Iterator[Answer]:
    """Samples by stochastic ascent, and their mean.

    Args:
        start: the images' means given the measurements, as well as they are known; noise is added here.
    """
    images, parts = torch.arange(len(start)), []
    for some in images.split(max(1, BATCH // samples)):
        noise = ItemNoise([(seed, image, sample) for image in some.tolist() for sample in range(samples)])
        around, values = (known[some].repeat_interleave(samples, 0) for known in (start, problem.values))
        noisy = around + cfg.sigma_start * noise.like(around)
        end, steps = counted(stochastic_ascent(subject.denoiser, noisy, cfg, noise, problem.measurement, values))
        parts.append((end.frame, end.clean, steps, end.diverged))
    before, clean, calls, lost = (torch.cat(part).unflatten(0, (-1, samples)) for part in zip(*parts, strict=True))
    who = (subject.label, cfg.beta)
    for k in range(samples):
        yield Answer("stochastic_ascent", before[:, k], clean[:, k], calls[:, k], lost[:, k], *who, k)
    mean = [frames.clamp(0, 1).mean(1) for frames in (before, clean)]
    yield Answer("stochastic_ascent", mean[0], mean[1], calls.sum(1), lost.any(1), *who)


def plugged(subject: Subject, problem: Problem, start: Frames, sigma: float, steps: int) -> Iterator[Answer]:
    """PGD, ADMM, half-quadratic splitting and RED.

    Args:
        sigma: noise level at which the denoiser is asked; half-quadratic splitting comes down from a larger one.
        steps: of PGD and ADMM; the others have their own.
    """
    denoiser, most = subject.denoiser, most_noise(subject.denoiser)
    yield _answer("pgd", subject, pgd(denoiser, start, PGD(sigma=sigma, steps=steps), problem))
    yield _answer("admm", subject, admm(denoiser, start, ADMM(sigma=sigma, steps=steps), problem))
    falling = HQS(sigma_start=min(HQS().sigma_start, most), sigma_end=min(HQS().sigma_end, most))
    yield _answer("hqs", subject, hqs(denoiser, start, falling, problem))
    states = list(red(denoiser, start, RED(sigma=sigma), problem))
    before = [start, *(state.frame for state in states[:-1])]
    path = [energy(frame, state.clean, problem, sigma) for frame, state in zip(before, states, strict=True)]
    yield replace(_answer("red", subject, states), energy_rise=rise(torch.stack(path)))


def rise(path: Float[Tensor, "step image"]) -> Float[Tensor, " image"]:
    """The largest rise in a step as a share of the range; 0 where every step falls."""
    span = path.amax(0) - path.amin(0)
    return path.diff(dim=0).amax(0).clamp(min=0) / span.clamp(min=torch.finfo(path.dtype).tiny)


def _answer(name: str, subject: Subject, states: Iterable[SampleState]) -> Answer:
    end, steps = counted(states)
    return Answer(name, end.frame, end.clean, steps, end.diverged, subject.label)

"""How well images are drawn again from linear measurements: by every sampler with a denoiser, and without one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from pydantic import Field, NonNegativeInt, PositiveInt
from torch import Tensor

from manex.analyses.answers import Answer, ascended, closed_forms, plugged
from manex.analyses.base import Analysis, Pictures, Rows, Subject
from manex.analyses.columns import in_255, rows
from manex.analyses.samples import most_noise
from manex.arrays import Frames
from manex.datasets.dataset import Dataset
from manex.denoisers.memoriser import Memoriser
from manex.denoisers.wiener import Wiener
from manex.errors import AnalysisError
from manex.measurements.base import Measurement
from manex.measurements.task import Task
from manex.metrics.ssim import ssim_distances
from manex.samplers.plug_and_play import PlugAndPlay, Problem
from manex.samplers.stochastic_ascent import Fraction, StochasticAscent
from manex.settings import GreyLevel, Name

SIGMA_END = 0.02
"""Where the ascent ends, in grey levels."""
SHOWN = 3
"""Samples that are drawn."""


class Restoration(Analysis):
    """Held-out frames, measured without noise and drawn again."""

    tasks: dict[Name, Task] = Field(min_length=1, description="what is measured, by name: {kind: blocks, size: 4}")
    images: int = Field(40, ge=2, description="held-out frames")
    samples: PositiveInt = Field(10, description="of the ascent, per frame")
    betas: tuple[Fraction, ...] = Field((0.03, 1.0), min_length=1, description="of the ascent; 1: no noise is added")
    sigma: GreyLevel = Field(15 / 255, description="noise level at which plug-and-play methods ask the denoiser")
    noise: GreyLevel = Field(2 / 255, description="of the measurements, as closed forms and plug-and-play assume it")
    steps: PositiveInt = Field(PlugAndPlay().steps, description="calls of the denoiser by PGD and ADMM")
    seed: NonNegativeInt = Field(0, description="of the ascent's noise")


def restoration(subjects: Sequence[Subject], dataset: Dataset, cfg: Restoration) -> Iterator[Rows | Pictures]:
    """One row per task, method, denoiser, frame and sample.

    `kept` is the share of the dimensions that are measured. `inconsistency` is the RMS of R x - c before the last
    denoising, `inconsistency_final` after it, and `psnr_projected` the PSNR with R^T (c - R x) added then. The pictures
    are strips of the first frame, a row per task: truth, what is measured, the best affine estimator, and of the first
    denoiser and beta some samples and the mean of all.

    Raises:
        AnalysisError: fewer than two held-out frames, a task that does not fit them, or a denoiser of coloured noise or
            of less than is asked for.
    """
    truth = dataset.held_out_frames[: cfg.images].to(subjects[0].device)
    if len(truth) < 2:
        raise AnalysisError(f"{len(truth)} held-out frame(s): at least two are needed to restore; raise held_out")
    measurements = {name: _measurement(name, kind, truth) for name, kind in cfg.tasks.items()}
    for subject in subjects:
        _check(subject, cfg)
    known = dataset.training_frames.to(truth)
    gaussian, memory, mean = Wiener(known), Memoriser(known), known.mean(0, keepdim=True)
    strips = []
    for task, measurement in measurements.items():
        problem = Problem(measurement, measurement.measure(truth), cfg.noise)
        start = mean + problem.gap(mean.expand_as(truth))
        first = list(closed_forms(problem, gaussian, memory))
        strip = [truth[0], measurement.inside(truth)[0], first[1].clean[0]]
        yield from (_rows(task, answer, truth, problem) for answer in first)
        for subject in subjects:
            for beta in cfg.betas:
                ascent = StochasticAscent(sigma_start=most_noise(subject.denoiser), sigma_end=SIGMA_END, beta=beta)
                found = list(ascended(subject, problem, start, ascent, cfg.samples, cfg.seed))
                yield from (_rows(task, answer, truth, problem) for answer in found)
                if (subject, beta) == (subjects[0], cfg.betas[0]):
                    strip += [answer.clean[0] for answer in [*found[:-1][:SHOWN], found[-1]]]
            plug_and_play = plugged(subject, problem, start, cfg.sigma, cfg.steps)
            yield from (_rows(task, answer, truth, problem) for answer in plug_and_play)
        strips.append(torch.stack(strip).clamp(0, 1).cpu())
    yield Pictures({"strips": torch.stack(strips)})


def _measurement(name: str, task: Task, truth: Frames) -> Measurement:
    try:
        return task.of((truth.shape[1], truth.shape[2], truth.shape[3]))
    except ValueError as error:
        raise AnalysisError(f"tasks.{name}: {error}") from None


def _check(subject: Subject, cfg: Restoration) -> None:
    if not subject.denoiser.noise.is_white:
        raise AnalysisError(f"{subject.label} removes coloured noise; restoration needs denoisers of white noise")
    if cfg.sigma > most_noise(subject.denoiser):
        most = f"{255 * most_noise(subject.denoiser):g}"
        raise AnalysisError(f"{subject.label} knows noise up to {most}/255; lower sigma_255={255 * cfg.sigma:g}")


def _rows(task: str, answer: Answer, truth: Frames, problem: Problem) -> Rows:
    clean, count = answer.clean, len(truth)
    names = {
        "task": task,
        "noise_255": in_255(problem.noise),
        "kept": len(problem.measurement.rows) / truth[0].numel(),
        "sampler": answer.sampler,
        "denoiser": answer.denoiser,
        "beta": answer.beta,
        "sample": answer.sample,
    }
    columns = {
        "image": torch.arange(count),
        "psnr": _psnr(clean, truth),
        "ssim": 1 - ssim_distances(truth, clean.clamp(0, 1)).diagonal(),
        "psnr_projected": _psnr(clean + problem.gap(clean), truth),
        "inconsistency": _inconsistency(answer.before, problem),
        "inconsistency_final": _inconsistency(clean, problem),
        "steps": answer.steps,
        "diverged": answer.diverged,
        "energy_rise": truth.new_full((count,), torch.nan) if answer.energy_rise is None else answer.energy_rise,
    }
    return rows("restoration", names, columns)


def _psnr(frames: Frames, truth: Frames) -> Float[Tensor, " image"]:
    """In dB, of frames clipped to [0, 1]; at most 120."""
    return -10 * (frames.clamp(0, 1) - truth).square().mean((1, 2, 3)).clamp(min=1e-12).log10()


def _inconsistency(frames: Frames, problem: Problem) -> Float[Tensor, " image"]:
    return (problem.measurement.measure(frames) - problem.values).square().mean(1).sqrt()

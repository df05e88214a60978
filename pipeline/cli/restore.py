"""A picture of the user's own, measured and drawn again from what a denoiser takes for images."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from manex.datasets.dataset import Dataset
from manex.denoisers.base import Denoiser
from manex.measurements.base import Measurement
from manex.metrics.psnr import decibels
from manex.noises.draws import ItemNoise
from manex.samplers.base import SampleState, last
from manex.samplers.stochastic_ascent import StochasticAscent, stochastic_ascent
from pipeline.cli.pictures import frame_of, output
from pipeline.config.measurements import MeasurementEntry
from pipeline.errors import UserError
from pipeline.figures.videos import sheet_of
from pipeline.models.load import load_named
from pipeline.paths import Paths
from pipeline.settings import settings
from pipeline.storage.artifacts import replacing
from pipeline.storage.prepared import load_prepared

MAGNIFIED = 6
"""Pixels of the written picture per pixel of a frame."""


def restore_picture(
    picture: Path, task: MeasurementEntry, to: Path, where: tuple[str, str], samples: int, beta: float, paths: Paths
) -> Iterator[str]:
    """Write a strip: the picture, what was measured of it, samples given that, and the mean of the samples.

    Args:
        where: the dataset, and the name of a denoiser that was trained on it or is a closed form.

    Yields:
        What was written, and how near the results are to the picture.

    Raises:
        UserError: a picture, a task or a denoiser that cannot be used.
    """
    to, (name, model) = output(to, ".png"), where
    dataset = load_prepared(name, paths)
    device = settings().prepare_torch()
    denoiser = load_named(name, model, dataset, paths, device)
    if not isinstance(denoiser, Denoiser) or not denoiser.noise.is_white:
        raise UserError(f"{name}: {model or 'none'} is no denoiser of white noise")
    truth = frame_of(picture, dataset).to(device)
    measurement = task.of((truth.shape[1], truth.shape[2], truth.shape[3]))
    state = _drawn(denoiser, measurement, truth, dataset, samples, beta)
    drawn, seen = state.clean.clamp(0, 1), measurement.inside(truth).clamp(0, 1)
    mean = drawn.mean(0, keepdim=True)
    _write(to, [truth, seen, *drawn.split(1), mean])
    yield f"{to}: the picture, what was measured of it, {samples} samples given that, their mean"
    share = len(measurement.rows) / truth[0].numel()
    yield f"measured: {len(measurement.rows)} numbers, {share:.0%} of {truth[0].numel()}"
    for what, image in (("what was measured", seen), ("samples", drawn), ("mean of the samples", mean)):
        yield f"PSNR of {what}: {decibels((image - truth).square().mean()):.1f} dB"
    apart = measurement.measure(state.clean) - measurement.measure(truth)
    yield f"samples measure {float(apart.square().mean().sqrt()):.3f} off, RMS in grey levels"
    if lost := int(state.diverged.sum()):
        yield f"warning: {lost} samples left all images; more noise (a smaller --beta) may help"


def _drawn(
    denoiser: Denoiser, measurement: Measurement, truth: Tensor, dataset: Dataset, samples: int, beta: float
) -> SampleState:
    """Samples given the measurement. They start at the most noise that the denoiser knows, up to 1."""
    known = denoiser.sigma_range[1] if denoiser.sigma_range else math.inf
    cfg = StochasticAscent(sigma_start=min(1.0, known), sigma_end=0.01, beta=beta)
    noise = ItemNoise([(0, item) for item in range(samples)])
    values = measurement.measure(truth).expand(samples, -1)
    mean = dataset.training_frames.to(truth).mean(0, keepdim=True)
    around = mean + measurement.lift(measurement.measure(truth) - measurement.measure(mean))
    start = around.expand(samples, -1, -1, -1)
    start = start + cfg.sigma_start * noise.like(start)
    return last(stochastic_ascent(denoiser, start, cfg, noise, measurement, values))


def _write(to: Path, images: list[Tensor]) -> None:
    strip = sheet_of([torch.cat(images).cpu()], len(images))
    pixels = (torch.from_numpy(strip).clamp(0, 1) * 255).round().byte().numpy().squeeze()
    drawn = Image.fromarray(pixels)
    size = (drawn.width * MAGNIFIED, drawn.height * MAGNIFIED)
    with replacing(to) as file:
        drawn.resize(size, Image.Resampling.NEAREST).save(file, "PNG")

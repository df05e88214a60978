"""Tangent flow, our method: near the manifold the Jacobian itself is a soft projector onto the tangent space."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from pipeline.arrays import Frames
from pipeline.config import TangentFlow
from pipeline.denoisers.base import Denoiser
from pipeline.extrapolators.base import ItemNoise, WalkState, denoise, first_velocity, lengths, unit
from pipeline.geometry.products import Jacobian
from pipeline.geometry.tangent import soft_projection, without_brightness


def tangent_flow(
    denoiser: Denoiser, first: Frames, second: Frames, cfg: TangentFlow, noise: ItemNoise
) -> Iterator[WalkState]:
    """Walk along the denoiser's manifold from two frames, without eigenvectors.

    J_D = Cov[u|y] / sigma^2 has eigenvalues near 1 along the manifold and near 0 across it, so a velocity multiplied
    by J_D a few times is projected softly onto the tangent space. One frame is `substeps` predictor-corrector steps
    of fixed length, `speed` |u_1 - u_0| / `substeps`: along the tangent, then back onto the manifold by denoising.

    Args:
        first, second: clean frames in [0, 1].
    """
    velocity = first_velocity(first, second)
    stride = cfg.speed * lengths(velocity) / cfg.substeps
    current, heading = second, unit(velocity)
    while True:
        for _ in range(cfg.substeps):
            previous = current
            heading = _tangent(denoiser, current, heading, cfg, noise)
            if cfg.midpoint:
                middle = current + stride / 2 * heading
                heading = _tangent(denoiser, middle, heading, cfg, noise)
            current = _onto_manifold(denoiser, current + stride * heading, cfg, noise)
            heading = unit(unit(current - previous) + cfg.momentum * heading)
        yield WalkState(current, heading)


def interpolate(
    denoiser: Denoiser, start: Frames, end: Frames, frames: int, cfg: TangentFlow, noise: ItemNoise
) -> Iterator[WalkState]:
    """The `frames` frames between two given ones: the same walk, steered at each step by what is left to `end`.

    Args:
        start, end: clean frames in [0, 1]; `cfg.speed` and `cfg.momentum` are not used.
    """
    first_velocity(start, end)
    current, steps = start, (frames + 1) * cfg.substeps
    for step in range(frames * cfg.substeps):
        left = end - current
        heading = _tangent(denoiser, current, unit(left), cfg, noise)
        current = _onto_manifold(denoiser, current + lengths(left) / (steps - step) * heading, cfg, noise)
        if (step + 1) % cfg.substeps == 0:
            yield WalkState(current, heading)


def _tangent(denoiser: Denoiser, frame: Frames, heading: Frames, cfg: TangentFlow, noise: ItemNoise) -> Frames:
    """The heading, projected softly at noisy copies of the frame: mirrored noise, whose first-order effects cancel."""
    total = torch.zeros_like(frame)
    for _ in range(cfg.draws):
        draw = cfg.sigma * noise.like(frame)
        for point in (frame + draw, frame - draw):
            jacobian = Jacobian(denoiser.at(cfg.sigma), point)
            total = total + soft_projection(jacobian, heading, cfg.products)
    return unit(without_brightness(total, frame) if cfg.remove_brightness else total)


def _onto_manifold(denoiser: Denoiser, frame: Frames, cfg: TangentFlow, noise: ItemNoise) -> Frames:
    """Denoise noisy copies of the frame, average, clip; again `corrector` times."""
    for _ in range(1 + cfg.corrector):
        total = torch.zeros_like(frame)
        for _ in range(cfg.draws):
            draw = cfg.sigma * noise.like(frame)
            total = total + denoise(denoiser.at(cfg.sigma), frame + draw)
            total = total + denoise(denoiser.at(cfg.sigma), frame - draw)
        frame = (total / (2 * cfg.draws)).clamp(0, 1)
    return frame

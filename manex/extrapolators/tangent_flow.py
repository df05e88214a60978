"""Tangent flow, our method: near the manifold the Jacobian itself is a soft projector onto the tangent space."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from jaxtyping import Float
from pydantic import Field, PositiveFloat, PositiveInt
from torch import Tensor

from manex.arrays import FrameMap, Frames, lengths, unit
from manex.denoisers.base import Denoiser
from manex.extrapolators.base import Denoised, WalkState, first_velocity, steps
from manex.geometry.products import Jacobian
from manex.geometry.tangent import soft_projection, without_brightness
from manex.noises.draws import ItemNoise
from manex.samplers.ascent import ascend

Copies = Float[Tensor, "copies channel height width"]
"""Copies of a batch of frames, one whole batch after the other."""


class TangentFlow(Denoised):
    """Our method: soft tangent projection by Jacobian products. Takes a `Denoiser`.

    Example:
        >>> from itertools import islice
        >>> from manex import DiracMixture, ItemNoise, TangentFlow
        >>> from manex.extrapolators.walk import walk
        >>> x = torch.arange(8.0)
        >>> waves = 0.5 + 0.4 * torch.sin(x + x[:, None] + torch.linspace(0, 6.2, 63)[:, None, None, None])
        >>> states = walk(TangentFlow(sigma=25 / 255), DiracMixture(waves), waves[:1], waves[1:2], ItemNoise([(0,)]))
        >>> seen = torch.cat([state.frame for state in islice(states, 3)])
        >>> bool((seen - waves[2:5]).abs().max() < 0.05)
        True
    """

    products: int = Field(1, ge=1, le=8, description="Jacobian products per projection; 1 is fastest")
    substeps: PositiveInt = Field(4, description="predictor-corrector steps per output frame")
    momentum: float = Field(0.5, ge=0, description="weight of the last direction next to the velocity's")
    draws: PositiveInt = Field(2, description="noisy copies averaged per substep, mirrored if even; 1 is fastest")
    speed: PositiveFloat = Field(1.0, description="path length per frame, in units of |u1 - u0|")
    corrector: int = Field(0, ge=0, description="further steps up the score per substep")
    remove_brightness: bool = Field(False, description="for homogeneous networks: the image is not a motion")


def tangent_flow(
    denoiser: Denoiser, first: Frames, second: Frames, cfg: TangentFlow, noise: ItemNoise
) -> Iterator[WalkState]:
    """Walk along the denoiser's manifold from two frames, without eigenvectors.

    J_D = Cov[u|y] / sigma^2 has eigenvalues near 1 along the manifold and near 0 across it, so a velocity multiplied
    by J_D a few times is projected softly onto the tangent space. One frame is `substeps` predictor-corrector steps
    of fixed length, `speed` |u_1 - u_0| / `substeps`: along the tangent, then back onto the manifold by denoising.
    The network runs once per substep: where it denoises the predicted frame, its Jacobian also turns the heading.

    Args:
        first, second: clean frames in [0, 1].
    """
    return steered(denoiser, first, second, cfg, noise)


def steered(
    denoiser: Denoiser,
    first: Frames,
    second: Frames,
    cfg: TangentFlow,
    noise: ItemNoise,
    also: FrameMap | None = None,
) -> Iterator[WalkState]:
    """The same walk with a further term in its heading.

    Args:
        also: a vector at each frame, added to the velocity before it is projected.
    """

    def advance(previous: Frames, heading: Frames, stride: Tensor) -> tuple[Frames, Frames]:
        return _correct(denoiser, previous, previous + stride * heading, heading, cfg, noise, also)

    return steps(advance, first, second, cfg.speed, cfg.substeps)


def interpolate(
    denoiser: Denoiser, start: Frames, end: Frames, frames: int, cfg: TangentFlow, noise: ItemNoise
) -> Iterator[WalkState]:
    """The `frames` frames between two given ones: the same walk, steered at each substep by what is left to `end`.

    Args:
        start, end: clean frames in [0, 1]; `cfg.speed` and `cfg.momentum` are not used.
    """
    heading = unit(first_velocity(start, end))
    current, steps = start, (frames + 1) * cfg.substeps
    for step in range(frames * cfg.substeps):
        stride = lengths(end - current) / (steps - step)
        aim = unit(unit(end - current) + heading)
        current, heading = _correct(denoiser, current, current + stride * aim, heading, cfg, noise)
        if (step + 1) % cfg.substeps == 0:
            yield WalkState(current, heading)


def _correct(
    denoiser: Denoiser,
    previous: Frames,
    predicted: Frames,
    heading: Frames,
    cfg: TangentFlow,
    noise: ItemNoise,
    also: FrameMap | None = None,
) -> tuple[Frames, Frames]:
    """The predicted frame brought back onto the manifold, and the heading turned into the tangent space there.

    Both are means over `draws` noisy copies of the prediction. In mirrored pairs, first-order errors cancel.
    """
    clean = denoiser.at(cfg.sigma)
    jacobian = Jacobian(clean, _copies(predicted, cfg, noise))
    current = ascend(clean, _mean(jacobian.value, cfg.draws), cfg.corrector).clamp(0, 1)
    velocity = unit(current - previous) + cfg.momentum * heading
    if also is not None:
        velocity = velocity + also(current)
    projected = soft_projection(jacobian, velocity.repeat(cfg.draws, 1, 1, 1), cfg.products)
    tangent = _mean(projected, cfg.draws)
    return current, unit(without_brightness(tangent, current) if cfg.remove_brightness else tangent)


def _copies(frame: Frames, cfg: TangentFlow, noise: ItemNoise) -> Copies:
    draws = [cfg.sigma * noise.like(frame) for _ in range(0, cfg.draws, 2)]
    return torch.cat([frame + sign * draw for draw in draws for sign in (1, -1)][: cfg.draws])


def _mean(copies: Copies, count: int) -> Frames:
    return copies.reshape(count, -1, *copies.shape[1:]).mean(0)

"""Where on its latent manifold is a generated frame, and how much of the manifold does a video sweep?

A dataset with a latent (rotation angle, shift, phase) gives a dense sampling of each video's manifold. Every
generated frame is assigned the coordinate of its nearest sample, so coordinates are exact to half a spacing and a
step between frames to one spacing. Steps on a circle are the shorter way round.

Frames 0 and 1 of an extrapolated video are given, not generated: they set the direction of motion, and what is
counted below begins at frame 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from manex.arrays import precise
from manex.datasets.manifold import LatentManifold
from manex.errors import MetricError

JUMP_STEPS = 5
"""A step this many times the usual one is a jump: the walk left the manifold and came back elsewhere."""
JUMP_SHARE = 0.25
"""A step longer than this share of the manifold is a jump too, whatever the usual step: its direction is ambiguous."""
STALL_SHARE = 0.25
"""A step below this share of the median step is a stall."""
DEAD_BAND = 1.5
"""A step back of up to this many spacings may be rounding to the nearest sample and is no reversal."""


@dataclass(frozen=True, eq=False)
class Trace:
    """Recovered coordinates of a video.

    Attributes:
        coordinate: of the nearest sample, in the latent's unit.
        unwrapped: the same without the wrap of the circle, as if every step went the shorter way round.
        distance: RMS difference to the nearest sample, in grey levels.
    """

    coordinate: Float[np.ndarray, " frame"]
    unwrapped: Float[np.ndarray, " frame"]
    distance: Float[np.ndarray, " frame"]


@dataclass(frozen=True)
class CoordinateSummary:
    """How a video moves over its manifold, counted from frame 1 on.

    Attributes:
        coverage: share of the reachable manifold swept by continuous motion, 0 to 1. Jumps sweep nothing, ground
            swept twice counts once. Circle: swept arcs over the period, in either direction. Segment: swept part of
            what lies ahead of frame 1 in the direction of motion.
        reversals: steps against the initial direction, beyond the dead-band; jumps are not among them.
        stalls: steps shorter than `STALL_SHARE` of the median step, or than half a spacing.
        jumps: steps longer than the least of `JUMP_SHARE` of the manifold and `JUMP_STEPS` times the usual step
            (the larger of the median step and the given one).
        mean_speed: mean step along the initial direction without jumps, latent units per frame.
        distance: mean RMS distance of the generated frames to the manifold, in grey levels.
    """

    coverage: float
    reversals: int
    stalls: int
    jumps: int
    mean_speed: float
    distance: float


def trace(manifold: LatentManifold, frames: Float[Tensor, "frame channel height width"]) -> Trace:
    """Nearest sample (Euclidean) of every frame.

    Raises:
        MetricError: no frames, a size other than the manifold's, NaN or infinity (naming the frame).
    """
    if len(frames) == 0 or frames.shape[1:] != manifold.frames.shape[1:]:
        raise MetricError(
            f"cannot trace frames of shape {tuple(frames.shape)} on a manifold of {tuple(manifold.frames.shape)}"
        )
    broken = ~frames.flatten(1).isfinite().all(1)
    if broken.any():
        raise MetricError(f"frame {int(broken.nonzero()[0])} contains NaN or infinity")
    points, samples = precise(frames.flatten(1)), precise(manifold.frames.flatten(1))
    # the difference form: the expanded square would lose the small distances that matter here
    nearest = torch.cdist(points, samples, compute_mode="donot_use_mm_for_euclid_dist").min(1)
    coordinate = precise(manifold.coordinates)[nearest.indices].cpu().numpy()
    steps = shorter_way(np.diff(coordinate), manifold.period)
    return Trace(
        coordinate=coordinate,
        unwrapped=coordinate[0] + np.concatenate([[0.0], np.cumsum(steps)]),
        distance=(nearest.values / math.sqrt(points.shape[1])).cpu().numpy(),
    )


def shorter_way(steps: Float[np.ndarray, " step"], period: float | None) -> Float[np.ndarray, " step"]:
    """Steps on a circle brought to [-period / 2, period / 2); on a segment as they are."""
    return steps if period is None else (steps + period / 2) % period - period / 2


def summarize(manifold: LatentManifold, track: Trace) -> CoordinateSummary:
    """Coverage, reversals, stalls, jumps, speed and distance of an extrapolated video.

    Args:
        track: of the whole video, the two given frames included.

    Raises:
        MetricError: nothing generated (fewer than three frames), two given frames with one coordinate, which set
            no direction, or nothing reachable.
    """
    if len(track.unwrapped) < 3:
        raise MetricError(f"a video of {len(track.unwrapped)} frame(s) has no generated frame after the two given ones")
    given, *_ = steps = np.diff(track.unwrapped)
    if given == 0:
        raise MetricError("the two given frames have the same nearest sample: no direction of motion")
    direction, steps = math.copysign(1, given), steps[1:]
    start = float(track.coordinate[1])
    ahead = float(manifold.coordinates[-1]) - start if direction > 0 else start - float(manifold.coordinates[0])
    reachable = ahead if manifold.period is None else manifold.period
    if reachable <= 0:
        raise MetricError(f"the given frames end at {start:g}: no manifold is left ahead")

    size = np.abs(steps)
    usual = max(float(np.median(size)), abs(float(given)))
    jumped = size > min(JUMP_SHARE * manifold.length, JUMP_STEPS * usual)
    legs = np.stack([track.unwrapped[1:-1], track.unwrapped[2:]], 1)[~jumped]
    if manifold.period is None:
        legs = np.clip(direction * (legs - start), 0, ahead)
    return CoordinateSummary(
        coverage=min(1.0, union_length(np.sort(legs, 1), manifold.period) / reachable),
        reversals=int(np.sum(~jumped & (direction * steps < -DEAD_BAND * manifold.spacing))),
        stalls=int(np.sum(size < max(STALL_SHARE * float(np.median(size)), manifold.spacing / 2))),
        jumps=int(np.sum(jumped)),
        mean_speed=float(direction * steps[~jumped].mean()) if not jumped.all() else 0.0,
        distance=float(track.distance[2:].mean()),
    )


def union_length(intervals: Float[np.ndarray, "interval 2"], period: float | None) -> float:
    """Length of the union of intervals [low, high]; on a circle, of arcs shorter than the period."""
    if period is not None:
        low = intervals[:, 0] % period
        high = low + intervals[:, 1] - intervals[:, 0]
        over = np.stack([np.zeros_like(high), high - period], 1)[high > period]  # the part beyond the seam
        intervals = np.concatenate([np.stack([low, np.minimum(high, period)], 1), over])
    total, reached = 0.0, -math.inf
    for low, high in intervals[np.argsort(intervals[:, 0])]:
        total += max(0.0, high - max(low, reached))
        reached = max(reached, high)
    return float(total)

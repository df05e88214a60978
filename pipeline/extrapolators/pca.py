"""Linear extrapolation in the principal coordinates of the training frames."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from pipeline.arrays import Frames
from pipeline.config.rivals import PcaLinear
from pipeline.extrapolators.base import ItemNoise, TrainingFrames, WalkState, first_velocity, unit


def pca_linear(
    known: TrainingFrames, first: Frames, second: Frames, cfg: PcaLinear, noise: ItemNoise
) -> Iterator[WalkState]:
    """A straight line through both frames' first `rank` principal coordinates, decoded and clipped, for ever.

    Algorithm 3 with the linear autoencoder: one flat space for all videos.

    Args:
        first, second: clean frames in [0, 1].
    """
    frames = known.frames.flatten(1)
    mean = frames.mean(0)
    axes = torch.linalg.svd(frames - mean, full_matrices=False)[2][: cfg.rank]
    step = cfg.speed * (first_velocity(first, second).flatten(1) @ axes.T)
    code = (second.flatten(1) - mean) @ axes.T
    heading = unit((step @ axes).reshape(first.shape))
    while True:
        code = code + step
        yield WalkState((mean + code @ axes).reshape(first.shape).clamp(0, 1), heading)

"""What every extrapolator shares: the state it yields, its noise, its small vector algebra."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from pipeline.arrays import FrameMap, Frames


class WalkError(ValueError):
    """Two frames that cannot start a walk, or a walk that left the numbers."""


@dataclass(frozen=True)
class WalkState:
    """One generated frame of every video.

    Attributes:
        frame: the frame, as the algorithm leaves it (not clipped unless the algorithm clips).
        heading: unit vector of the last motion in image space; None where the algorithm has none.
        record: numbers a video, by name: eigenvalues, products spent and the like.
    """

    frame: Frames
    heading: Frames | None = None
    record: dict[str, Tensor] = field(default_factory=dict)


class TrainingFrames(nn.Module):
    """What the denoisers were trained on, for methods that take the frames themselves for a model.

    Args:
        frames: in no order that means anything, in [0, 1].
    """

    frames: Frames

    def __init__(self, frames: Frames) -> None:
        super().__init__()
        self.register_buffer("frames", frames)


class ItemNoise:
    """Gaussian noise with a stream of its own for every item of a batch.

    An item's noise depends on its key alone, not on what else is in the batch: trials and videos can be run together
    or apart.

    Args:
        keys: one tuple of non-negative integers an item, such as (trial seed, video).
    """

    def __init__(self, keys: Sequence[Sequence[int]]) -> None:
        states = [np.random.SeedSequence(list(key)).generate_state(1, np.uint64)[0] for key in keys]
        self.generators = [Generator().manual_seed(int(state) >> 1) for state in states]

    def like(self, frames: Frames) -> Frames:
        """Standard normal noise, one draw an item."""
        draws = [torch.randn(frames.shape[1:], generator=g, dtype=frames.dtype) for g in self.generators]
        return torch.stack(draws).to(frames.device)


def lengths(vectors: Frames) -> Float[Tensor, "batch 1 1 1"]:
    """Euclidean norm of every item."""
    norm: Tensor = vectors.flatten(1).norm(dim=1)
    return norm.reshape(-1, 1, 1, 1)


def unit(vectors: Frames) -> Frames:
    """Every item scaled to length one; a zero stays zero."""
    return vectors / lengths(vectors).clamp(min=torch.finfo(vectors.dtype).tiny)


def first_velocity(first: Frames, second: Frames) -> Frames:
    """u_1 - u_0.

    Raises:
        WalkError: a video whose two frames are the same, which has no velocity, or that is not finite.
    """
    velocity = second - first
    size = lengths(velocity).flatten()
    if bad := (~size.isfinite()).nonzero().flatten().tolist():
        raise WalkError(f"video {bad[0]}: its first two frames hold values that are not finite")
    if bad := (size == 0).nonzero().flatten().tolist():
        raise WalkError(f"video {bad[0]}: its first two frames are identical, so there is no velocity to follow")
    return velocity


def steps(
    advance: Callable[[Frames, Frames, Float[Tensor, "batch 1 1 1"]], tuple[Frames, Frames]],
    first: Frames,
    second: Frames,
    speed: float,
    substeps: int,
) -> Iterator[WalkState]:
    """A walk of steps of fixed length, `speed` |u_1 - u_0| / `substeps`, for ever; a state every `substeps` of them.

    Args:
        advance: (frame, unit heading, length) -> the next frame and the heading there.
        first, second: clean frames in [0, 1].

    Raises:
        WalkError: see `first_velocity`.
    """
    velocity = first_velocity(first, second)
    stride = speed * lengths(velocity) / substeps
    current, heading = second, unit(velocity)
    while True:
        for _ in range(substeps):
            current, heading = advance(current, heading, stride)
        yield WalkState(current, heading)


def ascend(denoiser: FrameMap, frame: Frames, steps: int) -> Frames:
    """Steps up the score towards the manifold: y <- y + (D(y) - y) / 2.

    Kadkhodaie and Simoncelli's coarse-to-fine ascent (2021) with a fixed step and beta = 1, that is, without injecting
    noise: made for blind denoisers, which take the noise that is left from the image itself.
    """
    for _ in range(steps):
        frame = frame + (denoise(denoiser, frame) - frame) / 2
    return frame


@torch.no_grad()
def denoise(denoiser: FrameMap, noisy: Frames) -> Frames:
    """One denoising step.

    Raises:
        WalkError: the denoiser returned values that are not finite.
    """
    clean: Frames = denoiser(noisy)
    if not clean.isfinite().all():
        raise WalkError("the denoiser returned values that are not finite; the walk has left the images it knows")
    return clean

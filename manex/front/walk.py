"""From two images to a moving picture."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import islice

import torch

from manex.arrays import Frames
from manex.denoisers.base import Denoiser
from manex.errors import WalkError
from manex.extrapolators.base import Denoised
from manex.extrapolators.tangent_flow import TangentFlow
from manex.extrapolators.walk import walk as states_of
from manex.front.load import Bundled
from manex.front.pictures import Image, frames_of, save_gif
from manex.front.trust import HeldOut, Trust
from manex.noises.draws import ItemNoise

FLOW = TangentFlow(sigma=15 / 255, substeps=4, momentum=2, draws=2)
"""The default walk."""
FRAMES = 50
"""How many frames it generates by default."""


@dataclass(frozen=True, repr=False)
class Walked:
    """A walk from two images, and whether to trust it; printed, it says so.

    Attributes:
        video: (frame, channel, height, width), grey levels in [0, 1]; the first two frames are those given.
        trust: what the denoiser knows of them.
    """

    video: Frames
    trust: Trust

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the walk as a GIF.

        Raises:
            ImageError: a name that does not end with .gif, or a folder that is not there.
        """
        save_gif(self.video, path)

    def __repr__(self) -> str:
        """What it is, and what speaks for it and against it."""
        height, width = self.video.shape[-2:]
        what = f"{len(self.video)} frames of {width} x {height} pixels, of which the first two are yours"
        return "\n".join([what, *self.trust.lines()])


def walk(
    denoiser: Denoiser,
    first: Image,
    second: Image,
    frames: int = FRAMES,
    method: Denoised = FLOW,
    held_out: HeldOut | None = None,
) -> Walked:
    """Walk on from two images along the manifold that a denoiser has learnt.

    Many walks at once, and walks without a denoiser: `manex.extrapolators.walk.walk`.

    Args:
        denoiser: `manex.load(NAME)`, or one of your own.
        first, second: arrays (height, width) or (channel, height, width), bytes or grey levels in [0, 1]; or files.
        frames: how many to generate, each as far from the one before as `second` is from `first`.
        method: settings of an extrapolator.
        held_out: frames that the denoiser's training never saw, (n, channel, height, width), to judge the walk by;
            None: those that came with the denoiser.

    Raises:
        ImageError: images that the denoiser cannot take, or of different sizes.
        WalkError: the same image twice, or a walk that produced NaN or infinity.

    Example:
        >>> import manex
        >>> digits = manex.load("rotated_mnist")
        >>> walked = manex.walk(digits, digits.held_out[0], digits.held_out[1], frames=2)
        >>> walked.video.shape
        torch.Size([4, 1, 20, 20])
    """
    if held_out is None and isinstance(denoiser, Bundled):
        held_out = denoiser.held_out
    given = taken(denoiser, (first, second), held_out)
    if torch.equal(given[0], given[1]):
        raise WalkError("both images are the same: a walk needs two, a small motion apart")
    noise = ItemNoise([(0, 0)], denoiser.noise)
    states = islice(states_of(method, denoiser, given[:1], given[1:], noise), frames)
    video = torch.cat([given, *(state.frame.detach() for state in states)]).clamp(0, 1)
    return Walked(video.cpu(), Trust.of(denoiser, method.sigma, video, held_out))


def taken(denoiser: Denoiser, images: tuple[Image, ...], held_out: HeldOut | None = None) -> Frames:
    """Images as a batch of frames where the denoiser computes, of its shape where that is known.

    Args:
        held_out: frames of the denoiser's shape; None: those that came with it.

    Raises:
        ImageError: images that the denoiser cannot take, or of different sizes.
    """
    known = denoiser.held_out if held_out is None and isinstance(denoiser, Bundled) else held_out
    shape = None if known is None else (known.shape[1], known.shape[2], known.shape[3])
    tensors = [*denoiser.parameters(), *denoiser.buffers()]
    return frames_of(images, shape).to(tensors[0].device if tensors else "cpu")

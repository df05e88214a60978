"""Optical motion moves the last frame, the denoiser repairs it: the idea of Warped Diffusion (Daras et al. 2024)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from manex.arrays import Frames
from manex.denoisers.base import Denoiser, denoise
from manex.extrapolators.base import Denoised, WalkState, first_velocity
from manex.motion.optical import Optical, motions, positions, sample, to_frames, to_images
from manex.noises.draws import ItemNoise


class FlowDenoise(Denoised, Optical):
    """Optical motion moves the last frame, the denoiser repairs it.

    Source: the idea of Warped Diffusion (Daras et al. 2024). Takes a `Denoiser`.

    Example:
        >>> from manex import DiracMixture, FlowDenoise, ItemNoise
        >>> from manex.extrapolators.walk import walk
        >>> video = torch.rand(5, 1, 16, 16, generator=torch.Generator().manual_seed(0))
        >>> states = walk(FlowDenoise(sigma=0.1), DiracMixture(video), video[:1], video[1:2], ItemNoise([(0,)]))
        >>> next(states).frame.shape
        torch.Size([1, 1, 16, 16])
    """

    default_block: ClassVar[str] = "rivals"


def flow_denoise(
    denoiser: Denoiser, first: Frames, second: Frames, cfg: FlowDenoise, noise: ItemNoise
) -> Iterator[WalkState]:
    """Move the last frame by the motion, add noise, denoise, endlessly.

    The idea of Warped Diffusion (Daras et al. 2024) with a motion that is steady and a denoiser of one step: the
    warp moves, the denoiser repairs what the warp blurred and draws what came into view.

    Args:
        first, second: clean frames in [0, 1].
    """
    first_velocity(first, second)
    clean, moved = denoiser.at(cfg.sigma), [b(positions(tuple(first.shape[2:]))) for b in motions(first, second, cfg)]
    current = second
    while True:
        carried = to_frames(
            [sample(image, at, cfg) for image, at in zip(to_images(current), moved, strict=True)], current
        )
        current = denoise(clean, carried + cfg.sigma * noise.like(carried)).clamp(0, 1)
        yield WalkState(current)

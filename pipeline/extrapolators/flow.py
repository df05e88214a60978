"""Warping: estimate the optical motion between the two frames, and let it go on."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.arrays import Frames
from pipeline.config.rivals import AffineFlow, DenseFlow, FlowDenoise
from pipeline.denoisers.base import Denoiser
from pipeline.extrapolators.base import ItemNoise, WalkState, denoise, first_velocity
from pipeline.extrapolators.motion import motions, positions, sample, steady, to_frames, to_images


def flow(
    model: None, first: Frames, second: Frames, cfg: AffineFlow | DenseFlow, noise: ItemNoise
) -> Iterator[WalkState]:
    """`affine_flow` and `dense_flow`: u_1 carried on by the same motion for ever, each frame sampled once from u_1.

    What lies outside u_1 cannot come into view: it is black.

    Args:
        first, second: clean frames in [0, 1].
    """
    first_velocity(first, second)
    walks = [steady(b, image, cfg) for b, image in zip(motions(first, second, cfg), to_images(second), strict=True)]
    while True:
        yield WalkState(to_frames([next(walk) for walk in walks], second))


def flow_denoise(
    denoiser: Denoiser, first: Frames, second: Frames, cfg: FlowDenoise, noise: ItemNoise
) -> Iterator[WalkState]:
    """Carry the last frame on by the motion, add noise, denoise, for ever.

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

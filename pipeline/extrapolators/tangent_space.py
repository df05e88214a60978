"""Algorithm 1: walk in the top eigenspace of the denoiser's Jacobian."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.arrays import Frames
from pipeline.config.methods import TangentSpace
from pipeline.denoisers.base import Denoiser
from pipeline.extrapolators.base import ItemNoise, WalkState, ascend, denoise, first_velocity, lengths, unit
from pipeline.geometry.eigen import FixedRank, LargestGap, RankRule, Threshold, top_eigenspace
from pipeline.geometry.products import Jacobian
from pipeline.geometry.tangent import project, without_brightness


def tangent_space(
    denoiser: Denoiser, first: Frames, second: Frames, cfg: TangentSpace, noise: ItemNoise
) -> Iterator[WalkState]:
    """Project the velocity onto the tangent space, step, denoise, add noise, for ever.

    The tangent space is spanned by the TOP eigenvectors of J_D; Algorithm 4 as printed iterates the Jacobian of the
    noise predictor, J_phi = I - J_D, whose top eigenvectors are normal to the manifold.

    Args:
        first, second: clean frames in [0, 1].
    """
    given = lengths(first_velocity(first, second))
    clean, rule = denoiser.at(cfg.sigma), _rule(cfg)
    frames = (first, second)
    noisy = tuple(u + cfg.sigma * noise.like(u) for u in frames)
    while True:
        jacobian = Jacobian(clean, noisy[1])
        space = top_eigenspace(jacobian, rule, cfg.solver, tolerance=cfg.tolerance, max_products=cfg.max_products)
        pair = noisy if cfg.velocity == "noisy" else frames
        velocity = pair[1] - pair[0]
        if cfg.remove_brightness:
            velocity = without_brightness(velocity, frames[1])
        heading = unit(project(space, velocity))
        length = lengths(velocity) if cfg.step == "velocity" else given
        frame = noisy[1] + cfg.eta * length * heading
        frame = ascend(clean, denoise(clean, frame) if cfg.denoise else frame, cfg.corrector)
        if cfg.clip:
            frame = frame.clamp(0, 1)
        record = {"asymmetry": space.asymmetry, "rank": space.size, "gap": space.gap}
        record |= {f"eigenvalue_{i + 1}": space.values[:, i] for i in range(space.values.shape[1])}
        yield WalkState(frame, heading, record)
        frames, noisy = (frames[1], frame), (noisy[1], frame + cfg.sigma * noise.like(frame))


def _rule(cfg: TangentSpace) -> RankRule:
    if cfg.rank_rule == "fixed":
        return FixedRank(cfg.rank)
    return LargestGap(cfg.rank) if cfg.rank_rule == "gap" else Threshold(cfg.threshold, cfg.rank)

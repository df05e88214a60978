"""Algorithm 1: walk in the top eigenspace of the denoiser's Jacobian."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field, PositiveFloat, PositiveInt

from manex.arrays import Frames, lengths, unit
from manex.denoisers.base import Denoiser, denoise
from manex.extrapolators.base import Denoised, WalkState, first_velocity
from manex.geometry.eigen import FixedRank, LargestGap, RankRule, Threshold, top_eigenspace
from manex.geometry.products import Jacobian
from manex.geometry.tangent import project, without_brightness
from manex.noises.draws import ItemNoise
from manex.samplers.ascent import ascend


class TangentSpace(Denoised):
    """The velocity projected onto the top eigenspace.

    As in the paper, frames are not clipped by default, and brightness is not projected out. K is ours, and so is the
    eigen-solver; `deflated` is the paper's.

    Source: the paper's Algorithm 1 with the corrected Algorithm 4. Takes a `Denoiser`.

    Example:
        >>> from manex import DiracMixture, ItemNoise, TangentSpace
        >>> from manex.extrapolators.walk import walk
        >>> frames = torch.rand(20, 1, 8, 8, generator=torch.Generator().manual_seed(0))
        >>> cfg = TangentSpace(sigma=25 / 255, eta=1, rank=2)
        >>> state = next(walk(cfg, DiracMixture(frames), frames[:1], frames[1:2], ItemNoise([(0,)])))
        >>> sorted(state.record)
        ['asymmetry', 'eigenvalue_1', 'eigenvalue_2', 'gap', 'rank']
    """

    eta: PositiveFloat
    rank: PositiveInt = Field(3, description="K, the number of eigenvectors; the paper gives none")
    rank_rule: Literal["fixed", "threshold", "gap"] = Field("fixed", description="gap, threshold: at most `rank`")
    threshold: float = Field(0.5, gt=0, lt=1, description="smallest eigenvalue kept by the threshold rule")
    solver: Literal["krylov", "subspace", "deflated", "exact"] = "krylov"
    tolerance: PositiveFloat = Field(0.05, description="sine of the angle to the true space at which the solver stops")
    max_products: PositiveInt = Field(200, description="Jacobian products per frame at which the solver gives up")
    velocity: Literal["noisy", "clean"] = Field("noisy", description="difference of noisy frames (paper) or clean")
    step: Literal["velocity", "given"] = Field("velocity", description="length: of the velocity (paper) or |u1 - u0|")
    remove_brightness: bool = Field(False, description="project the image itself out of the velocity")
    corrector: int = Field(0, ge=0, description="further steps up the score per frame")
    denoise: bool = Field(True, description="denoise once before these steps; false: the corrector alone")
    clip: bool = Field(False, description="clip every frame to [0, 1] before the next step")


def tangent_space(
    denoiser: Denoiser, first: Frames, second: Frames, cfg: TangentSpace, noise: ItemNoise
) -> Iterator[WalkState]:
    """Project the velocity onto the tangent space, step, denoise, add noise, endlessly.

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

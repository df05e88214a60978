"""Two networks of disjoint halves of the frames: whether they draw the same images from the same noise."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from pydantic import Field, NonNegativeInt, PositiveInt
from torch import Generator, Tensor

from manex.analyses.base import Analysis, Pictures, Rows, Subject
from manex.analyses.columns import in_255, rows
from manex.analyses.members import Member, seen, spread
from manex.arrays import Frames, lengths
from manex.datasets.dataset import Dataset
from manex.denoisers.base import Denoiser
from manex.denoisers.mixture import DiracMixture
from manex.errors import ManexError
from manex.geometry.eigen import top_eigenspace
from manex.geometry.products import Jacobian
from manex.geometry.tangent import principal_angles
from manex.metrics.cosines import cosines
from manex.noises.draws import ItemNoise, noise_like
from manex.samplers.base import SampleState, last
from manex.samplers.stochastic_ascent import Fraction, StochasticAscent, stochastic_ascent
from manex.settings import GreyLevels
from manex.training.objective import HeldOut

MEMORISERS = "memoriser"
"""The exact denoisers of the two halves, which are the limit of memorisation whatever the number of frames."""

Pair = tuple[Denoiser, Denoiser]


class Twins(Analysis):
    """Samples and held-out frames on which twins are compared.

    Source: Kadkhodaie, Guth, Simoncelli and Mallat 2024, section 2 and Fig. 2. Samples are drawn as there, by
    Algorithm 1 of Kadkhodaie and Simoncelli 2021 with h = 0.01 from noise of level 1 down to 0.01.
    """

    betas: tuple[Fraction, ...] = Field((1.0, 0.1), min_length=1, description="of the ascent; 1: no noise is added")
    samples: PositiveInt = Field(64, description="drawn by both twins from the same noise")
    shown: PositiveInt = Field(6, description="of these, as pictures, for the first of `betas`")
    sigma: GreyLevels = Field((25 / 255,), min_length=1, description="noise levels at which the functions are compared")
    images: PositiveInt = Field(200, description="held-out frames for that")
    points: PositiveInt = Field(8, description="of these, for the tangent spaces")
    rank: PositiveInt = Field(20, description="eigenvectors of (J + J^T) / 2 that span one")
    seed: NonNegativeInt = Field(0, description="of the noise; from 100 for development")


def twins(subjects: Sequence[Subject], dataset: Dataset, cfg: Twins) -> Iterator[Rows | Pictures]:
    """Of each pair of twins: `twins`, a row per beta and sample; `functions`, a row per level and held-out frame.

    Twins are two members of a family whose parts of the frames are the two halves, the same in all else. Next to them
    the exact denoisers of the same two parts draw samples, as `memoriser`.

    * `cosine_twins`: of the two samples, their means removed;
    * `cosine_own_a`, `cosine_own_b`: of each with the nearest frame its network was trained on; `cosine_floor`: the
      same of a held-out frame and the frames of a, which a sample reaches that is as new as that;
    * `norm_a`, `norm_b`, `diverged`: the samples' lengths, and whether one of them left all images;
    * `disagreement`: |D_a - D_b|^2 / (|D_a - x|^2 + |D_b - x|^2), and its three terms per pixel; 0 for the same
      function, 1 for errors that have nothing to do with each other;
    * `angle`: mean principal angle of the two tangent spaces in degrees, at the first `points` frames.

    Raises:
        ManexError: there are no twins among the subjects.
    """
    found = pairs(subjects)
    if not found:
        raise ManexError("twins: name two members of a family that differ in `part: first` and `part: second` alone")
    for a, b in found:
        parts = tuple(seen(one, dataset).to(a.device) for one in (a, b))
        names = {"denoiser": a.label, "n": len(parts[0])}
        memorisers = (DiracMixture(parts[0]), DiracMixture(parts[1]))
        for beta in cfg.betas:
            for name, two in ((a.label, (a.denoiser, b.denoiser)), (MEMORISERS, memorisers)):
                drawn = [_drawn(one, dataset.training_frames.mean(0).to(a.device), beta, cfg) for one in two]
                compared = _samples(drawn, parts, dataset.held_out_frames.to(a.device))
                yield rows("twins", {**names, "denoiser": name, "beta": beta}, compared)
                if name == a.label and beta == cfg.betas[0]:
                    yield Pictures({a.label: _strips(drawn, parts, cfg.shown)})
        for sigma in cfg.sigma if len(dataset.held_out) else ():
            frames = spread(dataset.held_out_frames, min(cfg.images, len(dataset.held_out))).to(a.device)
            compared = _functions((a.denoiser, b.denoiser), frames, sigma, cfg)
            yield rows("functions", {**names, "sigma_255": in_255(sigma)}, compared)


def pairs(subjects: Sequence[Subject]) -> list[tuple[Member, Member]]:
    """Members of one family whose parts are the first and the second half, the same in all else."""
    members = [subject for subject in subjects if isinstance(subject, Member)]
    return [
        (a, b)
        for a in members
        for b in members
        if a.family == b.family
        and (a.subset.part, b.subset.part) == ("first", "second")
        and a.subset.model_copy(update={"part": "second"}) == b.subset
    ]


def _drawn(denoiser: Denoiser, mean: Tensor, beta: float, cfg: Twins) -> SampleState:
    """Samples; the noise of each depends on its number alone."""
    ascent = StochasticAscent(beta=beta)
    noise = ItemNoise([(cfg.seed, sample) for sample in range(cfg.samples)], denoiser.noise)
    around = mean.expand(cfg.samples, *mean.shape)
    return last(stochastic_ascent(denoiser, around + ascent.sigma_start * noise.like(around), ascent, noise))


def _samples(drawn: Sequence[SampleState], parts: Sequence[Tensor], held_out: HeldOut) -> dict[str, Tensor]:
    """By name, one number per sample."""
    a, b = (state.clean for state in drawn)
    others = spread(held_out, len(a)) if len(held_out) else torch.full_like(a, torch.nan)
    return {
        "sample": torch.arange(len(a)),
        "cosine_twins": cosines(a, b).diagonal(),
        "cosine_own_a": cosines(a, parts[0]).amax(1),
        "cosine_own_b": cosines(b, parts[1]).amax(1),
        "cosine_floor": cosines(others, parts[0]).amax(1),
        "norm_a": lengths(a).flatten(),
        "norm_b": lengths(b).flatten(),
        "diverged": drawn[0].diverged | drawn[1].diverged,
    }


def _strips(
    drawn: Sequence[SampleState], parts: Sequence[Tensor], count: int
) -> Float[Tensor, "four sample channel height width"]:
    """The first samples of a and b, each next to the nearest frame its network was trained on, which is outside."""
    a, b = (state.clean[:count].nan_to_num() for state in drawn)
    nearest = [part[cosines(some, part).argmax(1)] for some, part in zip((a, b), parts, strict=True)]
    return torch.stack([nearest[0], a, b, nearest[1]])


def _functions(two: Pair, frames: Frames, sigma: float, cfg: Twins) -> dict[str, Tensor]:
    """By name, one number per frame."""
    noisy = frames + sigma * noise_like(frames, Generator().manual_seed(cfg.seed), two[0].noise)
    with torch.no_grad():
        clean = [denoiser(noisy, sigma) for denoiser in two]
    square = {
        "difference": (clean[0] - clean[1]).square().mean((1, 2, 3)),
        "error_a": (clean[0] - frames).square().mean((1, 2, 3)),
        "error_b": (clean[1] - frames).square().mean((1, 2, 3)),
    }
    jacobians = [Jacobian(denoiser.at(sigma), noisy[: cfg.points]) for denoiser in two]
    spaces = [top_eigenspace(one, min(cfg.rank, one.dimension), "exact").vectors for one in jacobians]
    angle = principal_angles(spaces[0], spaces[1]).mean(1).rad2deg()
    return {
        "image": torch.arange(len(frames)),
        "disagreement": square["difference"] / (square["error_a"] + square["error_b"]),
        **square,
        "angle": torch.cat([angle.cpu(), torch.full((len(frames) - len(angle),), torch.nan)]),
    }

"""Denoising at once and by steps, in the plane, where the exact denoiser of a curve is known."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt
from torch import Generator, Tensor

from manex.analyses.base import Analysis, Pictures, Rows, Subject
from manex.analyses.columns import rows
from manex.arrays import Frames
from manex.datasets.dataset import Dataset
from manex.denoisers.mixture import DiracMixture
from manex.noises.draws import ItemNoise
from manex.samplers.counted import counted
from manex.samplers.stochastic_ascent import StochasticAscent, stochastic_ascent

ATOMS = 2000
"""Points that stand for the curve."""
H = 0.05
"""First step of the ascent."""


class Plane(Analysis):
    """Noisy points of a spiral, each denoised once, and by stochastic ascent without new noise.

    Source: the picture of trajectories in Kadkhodaie and Simoncelli 2021, in a plane of our own.
    """

    points: PositiveInt = Field(50, description="noisy points at each level")
    levels: tuple[PositiveFloat, ...] = Field((0.8, 0.4, 0.15), min_length=1, description="noise, in the plane's unit")
    seed: NonNegativeInt = Field(0, description="of the points and their noise")


def plane(subjects: Sequence[Subject], dataset: Dataset, cfg: Plane) -> Iterator[Rows | Pictures]:
    """One row per level and point: how far from the curve it is after one denoising and after the ascent.

    Neither the subjects nor the dataset are looked at. The pictures have the curve and, for each level, noisy points,
    where one denoising takes them, and their ways (step, point, 2).
    """
    denoiser = DiracMixture(curve(torch.linspace(0, 1, ATOMS, dtype=torch.float64)))
    generator = Generator().manual_seed(cfg.seed)
    pictures = {"curve": denoiser.atoms.flatten(1)}
    for number, level in enumerate(cfg.levels):
        clean = curve(torch.rand(cfg.points, generator=generator, dtype=torch.float64))
        noisy = clean + level * torch.randn(clean.shape, generator=generator, dtype=torch.float64)
        ascent = StochasticAscent(sigma_start=level, sigma_end=min(0.01, level / 2), h=H, beta=1)
        noise = ItemNoise([(cfg.seed, point) for point in range(cfg.points)])
        states = list(stochastic_ascent(denoiser, noisy, ascent, noise))
        end, steps = counted(states)
        once = denoiser(noisy, level)
        columns = {
            "point": torch.arange(cfg.points),
            "one_step": _distance(once, denoiser),
            "iterative": _distance(end.clean, denoiser),
            "steps": steps,
        }
        yield rows("plane", {"sigma": level}, columns)
        ways = [noisy, *(state.frame for state in states[:-1]), end.clean]
        found = {"noisy": noisy, "once": once, "ways": torch.stack(ways)}
        pictures |= {f"{name}_{number}": points.flatten(-3) for name, points in found.items()}
    yield Pictures(pictures)


def curve(t: Float[Tensor, " point"]) -> Frames:
    """Points of a spiral for t in [0, 1], as images of 1 x 2 pixels."""
    radius, angle = 0.6 + 0.5 * t, 0.4 + 1.5 * math.pi * t
    return torch.stack([radius * angle.cos(), radius * angle.sin()], 1)[:, None, None]


def _distance(points: Frames, denoiser: DiracMixture) -> Float[Tensor, " point"]:
    return torch.cdist(points.flatten(1), denoiser.atoms.flatten(1)).amin(1)

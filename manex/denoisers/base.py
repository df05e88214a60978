"""The contract of denoisers."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from manex.arrays import FrameMap, Frames, Level
from manex.errors import WalkError
from manex.noises.base import Noise
from manex.noises.white import White

if TYPE_CHECKING:
    from manex.datasets.dataset import Dataset


class Denoiser(nn.Module):
    """The clean image from a noisy one: D(y) ~ E[u | y = u + eps], eps ~ N(0, sigma^2 I).

    By Tweedie/Miyasawa D(y) = y + sigma^2 grad log p(y), so J_D = I + sigma^2 Hess log p(y) = Cov[u|y] / sigma^2.
    For other laws of the noise see manex/noises/base.py.

    A closed form is one file: a subclass with `of`, found by the file's name, and with `jacobian_product` if it knows
    its Jacobian J, which must be a symmetric matrix times S^-1, as that of every exact denoiser is.

    Attributes:
        sigma_range: noise levels, in grey levels, at which the denoiser can be trusted; None: all.
        homogeneous: True if D(c y) = c D(y) for c > 0. The image itself is then a top eigen-direction
            of J_D (brightness), which is not motion.
        blind: True if the denoiser is not given the noise level and infers it from the image.
        noise: the law of the noise that it removes; walks and scores draw theirs from it.
        differentiable: False if autograd cannot see through it, and products with J_D are finite differences.

    Example:
        >>> from manex import Denoiser
        >>> class Half(Denoiser):
        ...     def forward(self, noisy, sigma):
        ...         return noisy / 2
        >>> float(Half().at(0.1)(torch.ones(1, 1, 2, 2)).mean())
        0.5
    """

    sigma_range: tuple[float, float] | None = None
    homogeneous: bool = False
    blind: bool = False
    differentiable: bool = True
    noise: Noise = White()

    @classmethod
    def of(cls, dataset: Dataset, noise: Noise = White()) -> Denoiser:  # noqa: B008 - frozen
        """The closed form for a dataset and a law of the noise; classical denoisers do not look at the dataset.

        Raises:
            ValueError: it is made for white noise alone.
        """
        if not noise.is_white:
            raise ValueError(f"{cls.__name__} is made for white noise alone; leave `noise` out")
        return cls()

    def forward(self, noisy: Frames, sigma: Level) -> Frames:
        """Denoise frames whose noise has standard deviation `sigma`, a number or one per item, in grey levels.

        Blind denoisers ignore it.
        """
        raise NotImplementedError

    def at(self, sigma: Level) -> FrameMap:
        """The denoiser at one noise level, as a map of frames to frames (what the geometry engine takes)."""
        return partial(self, sigma=sigma)


def positive(sigma: Level, who: str) -> None:
    """Check a noise level by which a closed form divides.

    Raises:
        ValueError: it is zero, negative or not a number.
    """
    if not bool(torch.as_tensor(sigma > 0).all()):
        raise ValueError(f"sigma={sigma}: {who} needs a noise level above 0")


@torch.no_grad()
def denoise(denoiser: FrameMap, noisy: Frames) -> Frames:
    """One denoising step.

    Raises:
        WalkError: the denoiser returned values that are not finite.
    """
    clean: Tensor = denoiser(noisy)
    if not clean.isfinite().all():
        raise WalkError("the denoiser returned values that are not finite; the walk has left the images it knows")
    return clean

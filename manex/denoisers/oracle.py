"""The oracle: the exact denoiser of the true manifold, densely sampled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manex.denoisers.mixture import DiracMixture
from manex.noises.base import Noise
from manex.noises.white import White

if TYPE_CHECKING:
    from manex.datasets.dataset import Dataset


class Oracle(DiracMixture):
    """The dense samples of all manifolds are the atoms."""

    @classmethod
    def of(cls, dataset: Dataset, noise: Noise = White()) -> Oracle:  # noqa: B008 - frozen
        """Know the true manifold.

        Raises:
            ValueError: no true manifold is known.
        """
        return cls(dataset.dense, noise=noise)

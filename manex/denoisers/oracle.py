"""The oracle: the exact denoiser of the true manifold, densely sampled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manex.denoisers.mixture import DiracMixture

if TYPE_CHECKING:
    from manex.datasets.dataset import Dataset


class Oracle(DiracMixture):
    """The dense samples of all manifolds are the atoms."""

    @classmethod
    def of(cls, dataset: Dataset) -> Oracle:
        """Know the true manifold.

        Raises:
            ValueError: no true manifold is known.
        """
        return cls(dataset.dense)

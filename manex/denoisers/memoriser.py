"""The memoriser: the exact denoiser of the training frames alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from manex.denoisers.mixture import DiracMixture
from manex.noises.base import Noise
from manex.noises.white import White

if TYPE_CHECKING:
    from manex.datasets.dataset import Dataset


class Memoriser(DiracMixture):
    """The training frames are the atoms, in no order that means anything.

    Example:
        >>> from manex import Memoriser
        >>> Memoriser(torch.zeros(5, 1, 8, 8)).atoms.shape
        torch.Size([5, 1, 8, 8])
    """

    @classmethod
    def of(cls, dataset: Dataset, noise: Noise = White()) -> Memoriser:  # noqa: B008 - frozen
        """Remember all training frames."""
        return cls(dataset.training_frames, noise=noise)

"""The exact denoiser of a finite set of images: the prior is a Dirac at each, all equally likely."""

from __future__ import annotations

import torch
from torch import Tensor

from pipeline.arrays import Frames, Vectors
from pipeline.denoisers.base import Denoiser


class DiracMixture(Denoiser):
    """D(y) = sum_i w_i x_i with w = softmax(-|y - x_i|^2 / (2 sigma^2)): no denoiser has a smaller error on the atoms.

    With training frames for atoms it is what pure memory can do; with a dense sampling of the true
    manifold it is what a perfect denoiser would do. J = Cov[u|y] / sigma^2 = sum_i w_i (x_i - D)(x_i - D)^T / sigma^2.

    Args:
        atoms: the images, shape (atom, channel, height, width).
        memory_limit: bytes the weights of one chunk of points may take.
    """

    atoms: Tensor

    def __init__(self, atoms: Frames, memory_limit: int = 2**28) -> None:
        super().__init__()
        if not len(atoms):
            raise ValueError("a Dirac mixture needs at least one atom")
        self.register_buffer("atoms", atoms.detach().clone())
        self._chunk = max(1, memory_limit // (len(atoms) * atoms.element_size() * 4))
        self.eval()  # nothing to train

    def forward(self, noisy: Frames, sigma: float) -> Frames:
        """E[u | y]."""
        atoms = self.atoms.flatten(1)
        return torch.cat(
            [(self.weights(part, sigma) @ atoms).reshape(part.shape) for part in torch.split(noisy, self._chunk)]
        )

    def weights(self, noisy: Frames, sigma: float) -> Tensor:
        """P(x_i | y), shape (batch, atom)."""
        self._check(noisy, sigma)
        y, atoms = noisy.flatten(1), self.atoms.flatten(1)
        # |y|^2 is the same for every atom and would only cost digits.
        return torch.softmax((y @ atoms.T - atoms.square().sum(1) / 2) / sigma**2, dim=1)

    def jacobian_product(self, noisy: Frames, sigma: float, vectors: Vectors) -> Vectors:
        """J v in closed form, J being symmetric: the posterior covariance over sigma^2, never formed."""
        images = []
        for part, tangents in zip(torch.split(noisy, self._chunk), torch.split(vectors, self._chunk), strict=True):
            w, v = self.weights(part, sigma), tangents.flatten(2)
            # Centred on the mean before the weights: the difference of two large terms would lose digits.
            mean = w @ self.atoms.flatten(1)
            along = v @ self.atoms.flatten(1).T - (v @ mean.unsqueeze(2))
            weighted = w.unsqueeze(1) * along
            image = weighted @ self.atoms.flatten(1) - weighted.sum(2, keepdim=True) * mean.unsqueeze(1)
            images.append((image / sigma**2).reshape(tangents.shape))
        return torch.cat(images)

    def _check(self, noisy: Frames, sigma: float) -> None:
        if not sigma > 0:
            raise ValueError(f"sigma={sigma}: the mixture's denoiser needs a noise level above 0")
        if noisy.shape[1:] != self.atoms.shape[1:]:
            raise ValueError(f"frames of shape {tuple(noisy.shape[1:])}, atoms of shape {tuple(self.atoms.shape[1:])}")

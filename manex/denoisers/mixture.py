"""The exact denoiser of a finite set of images: the prior is a Dirac at each, all equally likely."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from manex.arrays import FrameMap, Frames, Level, Vectors
from manex.denoisers.base import Denoiser, positive
from manex.noises.base import Noise
from manex.noises.white import White


class DiracMixture(Denoiser):
    """D(y) = sum_i w_i x_i with w = softmax(-|y - x_i|^2 / (2 sigma^2)): no denoiser has a smaller error on the atoms.

    With training frames for atoms it is the denoiser of pure memory, with a dense sampling of the true manifold that of
    the manifold. J = Cov[u|y] / sigma^2 = sum_i w_i (x_i - D)(x_i - D)^T / sigma^2.
    For other laws than white noise |v|^2 is v^T S^-1 v, and J is this matrix times S^-1.

    Args:
        atoms: the images, shape (atom, channel, height, width).
        memory_limit: bytes the weights of one chunk of points may take.
        noise: the law of the noise.

    Example:
        >>> from manex import DiracMixture
        >>> black, white = torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2, 2)
        >>> denoiser = DiracMixture(torch.cat([black, white]))
        >>> float(denoiser((black + white) / 2, 0.1).mean())
        0.5
    """

    atoms: Tensor
    whitened: Tensor
    """The atoms times S^(-1/2), kept where they differ."""

    def __init__(self, atoms: Frames, memory_limit: int = 2**28, noise: Noise = White()) -> None:  # noqa: B008 - frozen
        super().__init__()
        self.noise = noise
        if not len(atoms):
            raise ValueError("a Dirac mixture needs at least one atom")
        self.register_buffer("atoms", atoms.detach().clone())
        if not noise.is_white:
            self.register_buffer("whitened", noise.whiten(atoms.detach()), persistent=False)
        self._chunk = max(1, memory_limit // (len(atoms) * atoms.element_size() * 4))
        self.eval()  # nothing to train

    def forward(self, noisy: Frames, sigma: Level) -> Frames:
        """E[u | y]."""
        atoms = self.atoms.flatten(1)
        parts = zip(torch.split(noisy, self._chunk), self._levels(sigma, noisy), strict=True)
        return torch.cat([(self.weights(part, level) @ atoms).reshape(part.shape) for part, level in parts])

    def weights(self, noisy: Frames, sigma: Level) -> Tensor:
        """P(x_i | y), shape (batch, atom)."""
        self._check(noisy, sigma)
        atoms = (self.atoms if self.noise.is_white else self.whitened).flatten(1)
        y = self.noise.whiten(noisy).flatten(1)
        if isinstance(sigma, Tensor):
            sigma = sigma.flatten(1)
        # |y|^2 is the same for every atom and would only cost digits.
        return torch.softmax((y @ atoms.T - atoms.square().sum(1) / 2) / sigma**2, dim=1)

    def jacobian_product(self, noisy: Frames, sigma: Level, vectors: Vectors) -> Vectors:
        """J v in closed form: the posterior covariance over sigma^2, never formed, times S^-1 v."""
        images = []
        whitened = _each(lambda v: self.noise.whiten(self.noise.whiten(v)), vectors)
        points = zip(torch.split(noisy, self._chunk), self._levels(sigma, noisy), strict=True)
        for (part, level), tangents in zip(points, torch.split(whitened, self._chunk), strict=True):
            w, v = self.weights(part, level), tangents.flatten(2)
            # Centred on the mean before the weights: the difference of two large terms would lose digits.
            mean = w @ self.atoms.flatten(1)
            along = v @ self.atoms.flatten(1).T - (v @ mean.unsqueeze(2))
            weighted = w.unsqueeze(1) * along
            image = weighted @ self.atoms.flatten(1) - weighted.sum(2, keepdim=True) * mean.unsqueeze(1)
            square = level.flatten(1).unsqueeze(2) ** 2 if isinstance(level, Tensor) else level**2
            images.append((image / square).reshape(tangents.shape))
        return torch.cat(images)

    def _levels(self, sigma: Level, noisy: Frames) -> Sequence[float | Tensor]:
        """The noise level, or levels, of each chunk."""
        if isinstance(sigma, Tensor):
            return torch.split(sigma.expand(len(noisy), 1, 1, 1), self._chunk)
        return [sigma] * -(-len(noisy) // self._chunk)

    def _check(self, noisy: Frames, sigma: Level) -> None:
        positive(sigma, "the mixture's denoiser")
        if noisy.shape[1:] != self.atoms.shape[1:]:
            raise ValueError(f"frames of shape {tuple(noisy.shape[1:])}, atoms of shape {tuple(self.atoms.shape[1:])}")


def _each(change: FrameMap, vectors: Vectors) -> Vectors:
    """A map of frames, applied to every vector."""
    return change(vectors.flatten(0, 1)).reshape(vectors.shape)

"""One noise level per image: each point has the Jacobian that it has alone at its level, whatever the groups."""

from __future__ import annotations

import pytest
import torch
from torch import Generator, Tensor

from manex.denoisers.base import Denoiser
from manex.denoisers.mixture import DiracMixture
from manex.geometry.products import BackendName, Jacobian

LEVELS = (0.2, 0.4, 0.6, 0.8, 1.0)


class Squashed(Denoiser):
    """tanh(y / (1 + sigma)): its slope depends on the point and on the level."""

    def forward(self, noisy: Tensor, sigma: float | Tensor) -> Tensor:
        return (noisy / (1 + sigma)).tanh()


@pytest.mark.parametrize("memory", [2**29, 1])
@pytest.mark.parametrize("backend", ["linearized", "vjp", "jvp", "finite_difference", "closed_form"])
def test_each_point_has_the_jacobian_of_its_own_level(backend: BackendName, memory: int, generator: Generator) -> None:
    points = torch.randn(len(LEVELS), 1, 3, 3, generator=generator, dtype=torch.float64)
    vectors = torch.randn(len(LEVELS), 2, 1, 3, 3, generator=generator, dtype=torch.float64)
    atoms = torch.randn(7, 1, 3, 3, generator=generator, dtype=torch.float64)
    denoiser = DiracMixture(atoms) if backend == "closed_form" else Squashed()
    denoiser.eval()
    levels = torch.tensor(LEVELS, dtype=torch.float64).reshape(-1, 1, 1, 1)
    together = Jacobian(denoiser.at(levels), points, backend, memory)
    for i, level in enumerate(LEVELS):
        alone = Jacobian(denoiser.at(level), points[i : i + 1], backend)
        torch.testing.assert_close(together.value[i : i + 1], alone.value, rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(
            together.jvp(vectors)[i : i + 1], alone.jvp(vectors[i : i + 1]), rtol=1e-6, atol=1e-8
        )

from __future__ import annotations

import pytest
from scipy import stats
from torch import Generator

from manex.training.denoising import draw_sigmas


@pytest.mark.parametrize(
    ("law", "expected"), [("uniform", stats.uniform()), ("quadratic", stats.beta(0.5, 1))], ids=["uniform", "quadratic"]
)
def test_noise_levels_follow_their_law(law: str, expected: stats.rv_continuous, generator: Generator) -> None:
    """U^2 of a uniform U is Beta(1/2, 1)."""
    sigmas = draw_sigmas(law, 0.25, 5000, generator).flatten().double().numpy()
    assert stats.kstest(sigmas / 0.25, expected.cdf).pvalue > 0.01

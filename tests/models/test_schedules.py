"""Schedules of diffusion models that end without any signal, and some that are none."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from pipeline.models.variance_preserving import VariancePreserving

ALPHAS = 1 / (1 + (2 * torch.linspace(-3, 2, 100, dtype=torch.float64)).exp())


@pytest.mark.parametrize("last", [0.0, 2.0**-24])
def test_the_timestep_of_a_zero_terminal_snr_is_left_out(last: float) -> None:
    """Lin et al. 2024: sqrt(a) shifted and scaled so that it ends at 0; diffusers has that, or 2^-24 in its place."""
    root = ALPHAS.double().sqrt()
    zero = ((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2
    zero[-1] = last
    zero[-2] = zero[-2] if last == 0 else last / 4  # of finer schedules
    module = VariancePreserving(nn.Identity(), zero)
    levels = ((1 - zero[:-1]) / zero[:-1]).sqrt()
    assert module.sigma_range == pytest.approx((float(levels[0]), float(levels[-1])))
    found = module.timesteps(levels)
    torch.testing.assert_close(found, torch.arange(len(levels)).double(), atol=1e-6, rtol=0)


@pytest.mark.parametrize("schedule", [[0.9, 0.5, 0.6], [0.9, 0.0, 0.5], [0.9, 0.9, 0.5], [0.0]])
def test_a_schedule_that_does_not_rise_is_refused(schedule: list[float]) -> None:
    with pytest.raises(ValueError, match="do not rise"):
        VariancePreserving(nn.Identity(), torch.tensor(schedule))

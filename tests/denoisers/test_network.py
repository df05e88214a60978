from __future__ import annotations

import pytest
import torch
from torch import nn

from manex.denoisers.network import NetworkDenoiser


def test_a_network_that_predicts_noise_has_it_subtracted(generator):
    network, y = nn.Conv2d(1, 1, 3, padding=1), torch.randn(2, 1, 4, 4, generator=generator)
    torch.testing.assert_close(NetworkDenoiser(network)(y, 0.1), y - network(y))
    torch.testing.assert_close(NetworkDenoiser(network, predicts="image")(y, 0.1), network(y))


def test_wrapping_does_not_change_the_mode_of_a_network():
    assert not NetworkDenoiser(nn.Conv2d(1, 1, 1).eval()).training
    assert NetworkDenoiser(nn.Conv2d(1, 1, 1)).training


def test_the_facts_about_the_training_travel_with_the_denoiser():
    denoiser = NetworkDenoiser(nn.Identity(), sigma_range=(0.0, 0.2), homogeneous=True)
    assert denoiser.sigma_range == (0.0, 0.2)
    assert denoiser.homogeneous
    assert not NetworkDenoiser(nn.Identity()).homogeneous


@pytest.mark.parametrize("level", [0.01, 10.0])
def test_a_blind_network_ignores_the_noise_level(level, generator):
    denoiser, y = NetworkDenoiser(nn.Conv2d(1, 1, 1)), torch.randn(2, 1, 4, 4, generator=generator)
    torch.testing.assert_close(denoiser.at(level)(y), denoiser(y, 0.1))

from __future__ import annotations

import pytest
import torch
from circle import Broken
from spots import MAPS, video, walked
from torch import Tensor

from manex.denoisers.base import Denoiser
from manex.errors import WalkError
from manex.extrapolators.flow_denoise import FlowDenoise

DENOISED = FlowDenoise(sigma=4e-9, blur=0)


class Identity(Denoiser):
    def forward(self, noisy: Tensor, sigma: float) -> Tensor:
        return noisy


def test_flow_denoise_without_noise_and_with_nothing_to_denoise_is_the_warp_again_and_again() -> None:
    truth = video(MAPS["rotation"], list(range(6)))
    torch.testing.assert_close(walked(DENOISED, truth, 4, Identity()), truth[:, 2:], rtol=0, atol=0.01)


def test_two_equal_frames_have_no_motion_to_go_on_with() -> None:
    with pytest.raises(WalkError, match="identical"):
        walked(DENOISED, video(MAPS["rotation"], [0, 0]), 1, Identity())


def test_a_denoiser_that_gives_no_numbers_ends_the_walk() -> None:
    with pytest.raises(WalkError, match="not finite"):
        walked(DENOISED, video(MAPS["rotation"], [0, 1]), 1, Broken())

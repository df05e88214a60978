"""Two images in, a moving picture out, on a manifold that is known: a wave that travels."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

import manex
from manex.front.load import load

PLACE = torch.arange(8.0)
SIGMA = 25 / 255


def waves(phases: Tensor) -> Tensor:
    """(n, 1, 8, 8)"""
    return 0.5 + 0.4 * torch.sin(PLACE + PLACE[:, None] + phases[:, None, None, None])


DENSE = waves(torch.linspace(0, 2 * math.pi, 629))
VIDEO, HELD_OUT = waves(0.1 * torch.arange(8)), waves(0.05 + 0.1 * torch.arange(60))
DENOISER = manex.DiracMixture(DENSE)
FLOW = manex.TangentFlow(sigma=SIGMA)


def test_the_walk_goes_on_as_the_wave_does() -> None:
    walked = manex.walk(DENOISER, VIDEO[0], VIDEO[1], frames=6, method=FLOW)
    assert torch.equal(walked.video[:2], VIDEO[:2])
    assert (walked.video - VIDEO).abs().max() < 0.05


def test_it_tells_that_the_denoiser_knows_the_images_and_their_motion() -> None:
    walked = manex.walk(DENOISER, VIDEO[0], VIDEO[1], frames=3, method=FLOW, held_out=HELD_OUT)
    assert walked.trust.psnr == pytest.approx(walked.trust.psnr_held_out, abs=3)
    assert 0.8 < walked.trust.kept <= 1.05
    assert walked.trust.residual is not None
    assert walked.trust.residual.shape == (5,)
    assert re.search(r"^5 frames of 8 x 8 pixels", str(walked))
    assert "the denoiser knows these images" in str(walked)


def test_it_warns_of_images_and_frames_that_the_denoiser_does_not_know() -> None:
    walked = manex.walk(
        DENOISER, 1 - VIDEO[0].tril(), 1 - VIDEO[1].tril(), 2, manex.Linear(sigma=SIGMA, eta=1), HELD_OUT
    )
    assert "warning: the denoiser does not know these images" in str(walked)
    assert "warning: from frame 0 on" in str(walked)


def test_it_tells_where_the_motion_leaves_the_manifold() -> None:
    brighter = (VIDEO[0] + 0.02).clamp(0, 1)
    assert "mostly off the manifold" in str(manex.walk(DENOISER, VIDEO[0], brighter, 1, FLOW))


@pytest.mark.parametrize("held_out", [None, HELD_OUT[:0]])
def test_without_held_out_frames_there_is_nothing_to_compare_with(held_out: Tensor | None) -> None:
    walked = manex.walk(DENOISER, VIDEO[0], VIDEO[1], frames=1, method=FLOW, held_out=held_out)
    assert walked.trust.psnr_held_out is walked.trust.residual is None
    assert "no held-out frames to compare with" in str(walked)


def test_the_same_image_twice_has_no_motion() -> None:
    with pytest.raises(manex.WalkError, match="both images are the same"):
        manex.walk(DENOISER, VIDEO[0], VIDEO[0])


def test_two_sizes_make_no_walk() -> None:
    with pytest.raises(manex.ImageError, match="8 x 8 and 8 x 7 pixels: crop or resize them to one size"):
        manex.walk(DENOISER, VIDEO[0], VIDEO[1, :, :7])


def test_a_denoiser_that_ships_knows_the_size_of_its_images() -> None:
    with pytest.raises(manex.ImageError, match="8 x 8 pixels, but the denoiser takes 20 x 20"):
        manex.walk(load("translated_mnist"), VIDEO[0], VIDEO[1])


def test_a_denoiser_that_ships_says_that_it_does_not_know_noise() -> None:
    first, second = torch.rand(2, 20, 20, generator=torch.Generator().manual_seed(0))
    assert "warning: the denoiser does not know these images" in str(
        manex.walk(load("rotated_mnist"), first, second, 1)
    )


def test_it_is_saved_as_a_moving_picture(tmp_path: Path) -> None:
    manex.walk(DENOISER, VIDEO[0], VIDEO[1], frames=3, method=FLOW).save(tmp_path / "walk.gif")
    with Image.open(tmp_path / "walk.gif") as moving:
        assert moving.n_frames == 5

from __future__ import annotations

import pytest
import torch
from spots import MAPS, video, walked

from manex.errors import WalkError
from manex.extrapolators.affine_flow import AffineFlow

AFFINE = AffineFlow(blur=0)


@pytest.mark.parametrize("kind", MAPS)
def test_affine_flow_continues_an_affine_motion(kind: str) -> None:
    truth = video(MAPS[kind], list(range(10)))
    torch.testing.assert_close(walked(AFFINE, truth, 8), truth[:, 2:], rtol=0, atol=0.01)


@pytest.mark.parametrize("kind", MAPS)
def test_affine_flow_at_another_speed_is_the_same_motion_at_other_times(kind: str) -> None:
    truth = video(MAPS[kind], [0, 1, 2.5, 4, 5.5])
    found = walked(AFFINE.model_copy(update={"speed": 1.5}), truth, 3)
    torch.testing.assert_close(found, truth[:, 2:], rtol=0, atol=0.01)


def test_every_channel_moves_alike() -> None:
    one = video(MAPS["rotation"], [0, 1])
    three = torch.cat([one, 0.5 * one, 1 - one], 2)
    found = walked(AFFINE.model_copy(update={"outside": "edge"}), three, 3)
    torch.testing.assert_close(found[:, :, 1], 0.5 * found[:, :, 0], rtol=0, atol=1e-9)
    torch.testing.assert_close(found[:, :, 2], 1 - found[:, :, 0], rtol=0, atol=1e-6)


def test_two_equal_frames_have_no_motion_to_go_on_with() -> None:
    with pytest.raises(WalkError, match="identical"):
        walked(AFFINE, video(MAPS["rotation"], [0, 0]), 1)

from __future__ import annotations

import pytest
from spots import MAPS, video, walked

from manex.errors import WalkError
from manex.extrapolators.dense_flow import DenseFlow

DENSE = DenseFlow()


@pytest.mark.parametrize("motion", ["tvl1", "ilk"])
def test_dense_flow_carries_a_spot_on(motion: str) -> None:
    """Against a spot of height one; standing still would be wrong by 0.3."""
    truth = video([[1, 0, 0.35], [0, 1, -0.35]], list(range(6)))
    found = walked(DENSE.model_copy(update={"motion": motion}), truth, 4)
    assert (found - truth[:, 2:]).abs().max() < 0.08
    assert (truth[:, 1] - truth[:, 5]).abs().max() > 0.25


def test_two_equal_frames_have_no_motion_to_go_on_with() -> None:
    with pytest.raises(WalkError, match="identical"):
        walked(DENSE, video(MAPS["rotation"], [0, 0]), 1)

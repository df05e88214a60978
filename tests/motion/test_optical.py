from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from manex.motion.optical import Optical, sample


@pytest.mark.parametrize(("outside", "expected"), [("black", [0.2, 0.0, 0.0]), ("edge", [0.2, 0.9, 0.9])])
def test_what_lies_outside_is_black_or_as_at_the_edge(outside: Literal["black", "edge"], expected: list[float]) -> None:
    image = np.array([[[0.2, 0.5, 0.9]] * 3])
    at = np.array([[[0.0, 0.0, 0.0]] * 3, [[-1.0, 2.0, 5.0]] * 3])
    cfg = Optical(outside=outside, spline=1)
    np.testing.assert_allclose(sample(image, at, cfg)[0, 0], expected)

"""Denoising in the plane: by steps a point comes back to the curve, at once it does not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from circles import dataset

from manex.analyses.base import Pictures, Rows
from manex.analyses.plane import Plane, curve, plane

FOUND = list(plane([], dataset(), Plane(points=20)))
ROWS = [part.columns for part in FOUND if isinstance(part, Rows)]


def test_by_steps_every_point_comes_back_to_the_curve_whatever_the_noise() -> None:
    assert [rows["sigma"][0] for rows in ROWS] == [0.8, 0.4, 0.15]
    assert max(max(rows["iterative"]) for rows in ROWS) < 0.01


def test_at_once_points_end_between_the_parts_of_the_curve_that_they_may_be_from() -> None:
    once = [np.mean(rows["one_step"]) for rows in ROWS]
    assert once[0] > 10 * np.mean(ROWS[0]["iterative"])
    assert once == sorted(once, reverse=True)


def test_the_pictures_have_the_ways_from_the_noisy_points_to_the_curve() -> None:
    (pictures,) = (part.tensors for part in FOUND if isinstance(part, Pictures))
    for number, rows in enumerate(ROWS):
        ways = pictures[f"ways_{number}"]
        assert torch.equal(ways[0], pictures[f"noisy_{number}"])
        assert torch.cdist(ways[-1], pictures["curve"]).amin(1).tolist() == pytest.approx(list(rows["iterative"]))


def test_the_curve_is_a_spiral() -> None:
    ends = curve(torch.tensor([0.0, 1.0])).flatten(1)
    assert ends.norm(dim=1).tolist() == pytest.approx([0.6, 1.1])

"""The tangent of a manifold that is a straight line: brightness."""

from __future__ import annotations

import re

import pytest
import torch

import manex

LINE = torch.linspace(0, 1, 201).reshape(-1, 1, 1, 1) * torch.ones(1, 1, 4, 5)


def test_the_first_direction_is_the_line_and_no_other_is_kept() -> None:
    tangent = manex.tangent(manex.DiracMixture(LINE), LINE[100], k=3)
    assert torch.equal(tangent.image, LINE[100])
    assert tangent.values.tolist() == pytest.approx([1, 0, 0], abs=0.01)
    assert torch.allclose(tangent.vectors[0], torch.full((1, 4, 5), 20**-0.5), atol=1e-5)
    assert str(tangent).startswith("tangent directions with eigenvalues 1.00, ")


def test_it_is_drawn_next_to_the_image() -> None:
    figure = manex.tangent(manex.DiracMixture(LINE), LINE[100, 0], k=2).plot()
    assert [panel.get_title() for panel in figure.axes][:2] == ["image", "1.00"]
    shown = [panel.images[0].get_array() for panel in figure.axes]
    assert [array.shape[:2] for array in shown] == [(4, 5)] * 3


def test_an_image_that_does_not_fit_is_refused() -> None:
    with pytest.raises(manex.ImageError, match=re.escape("values outside [0, 1]")):
        manex.tangent(manex.DiracMixture(LINE), 255 * LINE[100])

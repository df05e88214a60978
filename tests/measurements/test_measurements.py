"""Measurements: orthonormal rows, and what each kind says of an image."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.fft import dctn
from torch import Generator, Tensor

from manex.measurements.base import CUT, Measurement, orthonormal
from manex.measurements.blocks import Blocks, blocks
from manex.measurements.blur import Blur, blur, blur_matrix
from manex.measurements.hole import Hole, hole
from manex.measurements.lowpass import Lowpass, lowpass
from manex.measurements.pixels import Pixels, pixels
from manex.measurements.random_basis import RandomBasis, random_basis

COLOUR = (3, 6, 8)
KINDS: dict[str, tuple[Callable[[tuple[int, int, int]], Measurement], int]] = {
    "hole": (lambda shape: hole(Hole(top=1, left=2, height=3, width=4), shape), 3 * (48 - 12)),
    "pixels": (lambda shape: pixels(Pixels(share=0.25), shape), 3 * 12),
    "blocks": (lambda shape: blocks(Blocks(size=2), shape), 3 * 12),
    "lowpass": (lambda shape: lowpass(Lowpass(share=0.25), shape), 3 * 12),
    "random_basis": (lambda shape: random_basis(RandomBasis(share=0.25), shape), 36),
    "blur": (lambda shape: blur(Blur(sd=1.5), shape), 0),
}


def images(count: int, shape: tuple[int, int, int] = COLOUR) -> Tensor:
    return torch.rand(count, *shape, generator=Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_orthonormal_and_as_many_as_said(kind: str) -> None:
    make, count = KINDS[kind]
    rows = make(COLOUR).rows
    assert len(rows) == count or (kind == "blur" and 0 < len(rows) < 144)
    torch.testing.assert_close(rows @ rows.T, torch.eye(len(rows), dtype=torch.float64), atol=1e-10, rtol=0)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_inside_is_measured_alike_and_stays(kind: str) -> None:
    measurement, frames = KINDS[kind][0](COLOUR), images(2)
    inside = measurement.inside(frames)
    torch.testing.assert_close(measurement.measure(inside), measurement.measure(frames))
    torch.testing.assert_close(measurement.inside(inside), inside)
    assert (inside.norm() <= frames.norm() + 1e-9).all()


def test_a_hole_keeps_the_pixels_around_it() -> None:
    frames = images(2)
    inside = KINDS["hole"][0](COLOUR).inside(frames)
    expected = frames.clone()
    expected[:, :, 1:4, 2:6] = 0
    torch.testing.assert_close(inside, expected)


def test_blocks_keep_means() -> None:
    frames = images(2)
    means = torch.nn.functional.avg_pool2d(frames, 2)
    measurement = KINDS["blocks"][0](COLOUR)
    torch.testing.assert_close(measurement.measure(frames), 2 * means.flatten(1))
    torch.testing.assert_close(measurement.inside(frames), means.repeat_interleave(2, 2).repeat_interleave(2, 3))


def test_a_lowpass_measures_the_first_cosine_coefficients() -> None:
    frames = images(1, (1, 8, 8))
    found = lowpass(Lowpass(share=3 / 64), (1, 8, 8)).measure(frames)[0]
    waves = dctn(frames[0, 0].numpy(), norm="ortho")
    torch.testing.assert_close(found, torch.tensor([waves[0, 0], waves[0, 1], waves[1, 0]]))


@given(st.integers(1, 6), st.integers(0, 99))
def test_any_matrix_becomes_a_measurement_of_the_same_images(rank: int, seed: int) -> None:
    generator = Generator().manual_seed(seed)
    factors = (torch.randn(*size, generator=generator, dtype=torch.float64) for size in ((9, rank), (rank, 12)))
    matrix = torch.linalg.multi_dot(list(factors))
    measurement, transform = orthonormal(matrix, (1, 3, 4))
    frames = images(2, (1, 3, 4))
    torch.testing.assert_close(frames.flatten(1) @ matrix.T @ transform.T, measurement.measure(frames))
    assert len(measurement.rows) <= rank


def test_a_blur_keeps_what_it_does_not_wipe_out() -> None:
    matrix, frames = blur_matrix(Blur(sd=1.5), (1, 10, 10)), images(1, (1, 10, 10))
    measurement = blur(Blur(sd=1.5), (1, 10, 10))
    lost = frames - measurement.inside(frames)
    assert (matrix @ lost.flatten()).norm() <= CUT * torch.linalg.matrix_norm(matrix, 2) * lost.norm()
    assert 0 < len(measurement.rows) < 100


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: hole(Hole(top=4, left=0, height=3, width=2), COLOUR), "ends at row 7, column 2"),
        (lambda: hole(Hole(top=0, left=0, height=6, width=8), COLOUR), "leaves nothing"),
        (lambda: blocks(Blocks(size=4), COLOUR), "do not tile 6 x 8"),
        (lambda: orthonormal(torch.zeros(2, 144), COLOUR), "measures nothing"),
        (lambda: orthonormal(torch.full((2, 144), torch.nan), COLOUR), "NaN"),
        (lambda: orthonormal(torch.ones(2, 7), COLOUR), "144 columns"),
        (lambda: pixels(Pixels(), COLOUR).measure(images(1, (1, 6, 8))), "frames are"),
    ],
)
def test_what_cannot_be_measured_is_told(make: Callable[[], object], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()

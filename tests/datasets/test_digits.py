from __future__ import annotations

import numpy as np
import pytest

from manex.datasets.digits import Images
from manex.datasets.rotation import Rotation, rotation
from manex.datasets.translation import Translation, translation
from manex.datasets.videos import LatentVideos

ROTATION = Rotation(frames=100, dense=200)
TRANSLATION = Translation(frames=24, reach=6, dense=47)


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    """Two blurred blobs in MNIST's format: bytes, 28 x 28, black beyond the central 20 x 20."""
    images = np.zeros((2, 28, 28), np.uint8)
    images[:, 4:24, 4:24] = np.random.default_rng(0).integers(0, 256, (2, 20, 20))
    return images


@pytest.fixture(scope="module")
def turned(digits: np.ndarray) -> LatentVideos:
    return rotation(ROTATION, Images(digits, digits[:0]))


@pytest.fixture(scope="module")
def shifted(digits: np.ndarray) -> LatentVideos:
    return translation(TRANSLATION, Images(digits, digits[:0]))


def crop(digits: np.ndarray) -> np.ndarray:
    return digits[:, 4:24, 4:24] / 255


def test_the_first_frame_of_a_rotation_is_the_crop_itself(turned: LatentVideos, digits: np.ndarray) -> None:
    np.testing.assert_allclose(turned.videos[:, 0, 0], crop(digits), atol=1e-6)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_are_those_of_numpy(quarters: int, turned: LatentVideos, digits: np.ndarray) -> None:
    expected = np.rot90(crop(digits), quarters, axes=(1, 2))
    np.testing.assert_allclose(turned.videos[:, 25 * quarters, 0], expected, atol=1e-6)


def test_a_full_turn_comes_back_to_the_first_frame(turned: LatentVideos) -> None:
    assert turned.period == 360
    assert turned.coordinates[-1] + 3.6 == pytest.approx(360)


@pytest.mark.parametrize("pixels", range(-6, 6))
def test_a_shift_by_whole_pixels_moves_the_columns_and_fills_with_zeros(
    pixels: int, shifted: LatentVideos, digits: np.ndarray
) -> None:
    (frame,) = np.flatnonzero(np.isclose(shifted.coordinates, pixels))
    expected = np.roll(crop(digits), pixels, axis=2)
    expected[:, :, slice(0, pixels) if pixels >= 0 else slice(pixels, None)] = 0
    np.testing.assert_allclose(shifted.videos[:, frame, 0], expected, atol=1e-6)


def test_a_shift_by_half_a_pixel_is_the_mean_of_its_neighbours(shifted: LatentVideos) -> None:
    half, low, high = (np.flatnonzero(np.isclose(shifted.coordinates, c))[0] for c in (2.5, 2, 3))
    np.testing.assert_allclose(
        shifted.videos[:, half], (shifted.videos[:, low] + shifted.videos[:, high]) / 2, atol=1e-6
    )


def test_the_paper_steps_are_3_6_degrees_and_0_12_pixels(digits: np.ndarray) -> None:
    few = Images(digits[:1], digits[:0])
    turns = rotation(Rotation(frames=100, dense=10), few).coordinates
    shifts = translation(Translation(frames=100, dense=10), few).coordinates
    np.testing.assert_allclose(np.diff(turns), 3.6)
    np.testing.assert_allclose(np.diff(shifts), 0.12)


@pytest.mark.parametrize("made", ["turned", "shifted"])
def test_grey_levels_are_single_precision_in_0_to_1(made: str, request: pytest.FixtureRequest) -> None:
    videos = request.getfixturevalue(made)
    for frames in (videos.videos, videos.dense):
        assert frames.dtype == np.float32
        assert frames.min() >= 0
        assert frames.max() <= 1


def test_shapes_are_video_frame_channel_height_width(turned: LatentVideos, shifted: LatentVideos) -> None:
    assert (turned.videos.shape, turned.dense.shape) == ((2, 100, 1, 20, 20), (2, 200, 1, 20, 20))
    assert (shifted.videos.shape, shifted.dense.shape) == ((2, 24, 1, 20, 20), (2, 47, 1, 20, 20))


@pytest.mark.parametrize("made", ["turned", "shifted"])
def test_the_dense_manifold_goes_through_every_frame(made: str, request: pytest.FixtureRequest) -> None:
    videos = request.getfixturevalue(made)
    nearest = np.abs(videos.coordinates[:, None] - videos.dense_coordinates).argmin(1)
    np.testing.assert_allclose(videos.dense_coordinates[nearest], videos.coordinates, atol=1e-9)
    np.testing.assert_allclose(videos.dense[:, nearest], videos.videos, atol=1e-6)

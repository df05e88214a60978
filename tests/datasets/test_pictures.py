from __future__ import annotations

import numpy as np
import pytest

from manex.datasets.pictures import MARGIN, followed, person_boxes, silhouettes, whole


def masks_at(centres: list[tuple[int, int]], half: int = 3, shape: tuple[int, int] = (40, 60)) -> np.ndarray:
    """A square of side 2 half + 1 about each centre; none for a negative one."""
    masks = np.zeros((len(centres), *shape), np.uint8)
    for mask, (row, column) in zip(masks, centres, strict=True):
        if row >= 0:
            mask[row - half : row + half + 1, column - half : column + half + 1] = 1
    return masks


def test_a_box_is_centred_on_the_person_and_holds_all_of_it_in_every_frame() -> None:
    centres, side = person_boxes(masks_at([(10, 20), (12, 30)]))
    np.testing.assert_array_equal(centres, [[10, 20], [12, 30]])
    assert side == pytest.approx(7 * MARGIN)


def test_a_frame_without_a_person_takes_its_centre_from_its_neighbours() -> None:
    centres, _ = person_boxes(masks_at([(10, 20), (-1, -1), (20, 40), (-1, -1)]))
    np.testing.assert_array_equal(centres, [[10, 20], [15, 30], [20, 40], [20, 40]])


def test_nobody_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="nobody"):
        person_boxes(masks_at([(-1, -1)]))


@pytest.mark.parametrize("size", [16, 21, 32])
def test_a_person_in_steady_motion_does_not_move_in_the_crop(size: int) -> None:
    """To the ends of the clip, and although centres move by fractions of a pixel of the crop."""
    masks = masks_at([(20, 10 + 2 * n) for n in range(20)])
    crop = followed(np.repeat(255 * masks[..., None], 3, -1), masks, size, colour=False)
    assert crop.shape == (20, 1, size, size)
    assert np.abs(crop - crop[0]).max() < 1e-6
    np.testing.assert_allclose(crop, crop[..., ::-1], atol=1e-6)


def test_the_crop_of_a_picture_by_its_own_size_is_the_picture() -> None:
    """A mask that, with its margin, spans the square: sampling four times a pixel and averaging only smooths."""
    rows, columns = np.indices((40, 40))
    smooth = np.repeat((120 + 60 * np.sin(rows / 9) * np.cos(columns / 7))[None, ..., None], 3, -1).astype(np.uint8)
    masks = np.zeros((1, 40, 40), np.uint8)
    half = 40 / MARGIN / 2
    masks[0, int(20 - half) : int(20 + half), int(20 - half) : int(20 + half)] = 1
    crop = followed(smooth, masks, 40, colour=False)[0, 0]
    assert np.abs(crop[2:-2, 2:-2] - smooth[0, 2:-2, 2:-2, 0] / 255).max() < 0.05


def test_masks_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"masks of shape \(1, 40, 60\) for pictures of shape \(2, 40, 60\)"):
        followed(np.zeros((2, 40, 60, 3), np.uint8), masks_at([(9, 9)]), 16, colour=False)


def test_the_whole_is_the_central_square_in_block_means() -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (2, 32, 50, 3), np.uint8)
    expected = pictures[:, :, 9:41].reshape(2, 16, 2, 16, 2, 3).mean((2, 4)).transpose(0, 3, 1, 2) / 255
    np.testing.assert_allclose(whole(pictures, 16, colour=True), expected, atol=1e-6)


@pytest.mark.parametrize("size", [16, 24, 100])
def test_a_flat_picture_stays_flat_at_any_size(size: int) -> None:
    made = whole(np.full((1, 36, 36, 3), 51, np.uint8), size, colour=False)
    np.testing.assert_allclose(made, np.full((1, 1, size, size), 0.2, np.float32), atol=1e-6)


def test_silhouettes_keep_their_area_and_their_centre() -> None:
    made = silhouettes(masks_at([(20, 30)], half=4), 30)
    assert made.shape == (1, 1, 30, 30)
    assert made.sum() == pytest.approx(81 / 4, rel=1e-5)
    rows, columns = np.indices((30, 30))
    assert (made[0, 0] * rows).sum() / made.sum() == pytest.approx(14.75, abs=0.05)  # centre 30 of 60, in halves
    assert (made[0, 0] * columns).sum() / made.sum() == pytest.approx(14.75, abs=0.05)


@pytest.mark.parametrize(("side", "size"), [(256, 17), (300, 32), (301, 150), (520, 16)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_pixel_of_a_big_picture_is_the_mean_of_the_area_it_covers(side: int, size: int, dtype: type) -> None:
    """Against dense weights: how much of each pixel each new one covers."""
    white = np.iinfo(dtype).max
    picture = np.random.default_rng(0).integers(0, white, (side, side + 7, 3), dtype, endpoint=True)
    edges, lines = np.linspace(0, side, size + 1), np.arange(side)
    share = np.clip(np.minimum(edges[1:, None], lines + 1) - np.maximum(edges[:-1, None], lines), 0, None) * size / side
    expected = np.einsum("ky,yxc,lx->ckl", share, picture[:, 3 : 3 + side] / white, share)
    np.testing.assert_allclose(whole([picture], size, colour=True)[0], expected, atol=1e-6)


def test_pictures_of_sixteen_bits_give_the_frames_of_the_same_levels() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    np.testing.assert_allclose(
        whole([257 * picture.astype(np.uint16)], 16, colour=False), whole([picture], 16, colour=False), atol=1e-7
    )

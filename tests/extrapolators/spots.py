"""Smooth spots that move by the powers of an affine map."""

from __future__ import annotations

from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn

from manex.extrapolators.base import Walk
from manex.extrapolators.walk import walk
from manex.noises.draws import ItemNoise

SIZE = 21
TURN = 0.06
MAPS = {
    "rotation": [[np.cos(TURN), -np.sin(TURN), 0], [np.sin(TURN), np.cos(TURN), 0]],
    "translation": [[1, 0, 0.3], [0, 1, -0.2]],
    "rotation about another point, with shear and growth": [[0.99, -0.05, 0.2], [0.07, 0.98, -0.1]],
}


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


def walked(cfg: Walk, given: Tensor, frames: int, model: nn.Module | None = None) -> Tensor:
    """Frames that follow the first two, shape (item, frame, channel, height, width)."""
    noise = ItemNoise([(0, item) for item in range(len(given))])
    states = walk(cfg, model, given[:, 0], given[:, 1], noise)
    return torch.stack([state.frame for state in islice(states, frames)], 1)

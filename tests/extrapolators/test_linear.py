from __future__ import annotations

from itertools import islice

import numpy as np
import torch
from circle import oracle, point

from manex.denoisers.base import Denoiser
from manex.extrapolators.linear import Linear
from manex.extrapolators.walk import walk
from manex.noises.draws import ItemNoise

CFG = Linear(sigma=25 / 255, eta=0.7)
KEYS = [(3, 0), (3, 1)]


class Identity(Denoiser):
    def forward(self, noisy: torch.Tensor, sigma: float) -> torch.Tensor:
        return noisy


def test_frames_are_those_of_algorithm_2_written_out() -> None:
    first, second = point(torch.tensor([0.0, 2.0])), point(torch.tensor([0.2, 2.3]))
    atoms, sigma = oracle(300).atoms.flatten(1).numpy(), 25 / 255
    draws = ItemNoise(KEYS)
    noise = [sigma * draws.like(first).flatten(1).numpy() for _ in range(8)]

    def denoised(y: np.ndarray) -> np.ndarray:
        logits = -((y[:, None] - atoms) ** 2).sum(2) / (2 * sigma**2)
        weights = np.exp(logits - logits.max(1, keepdims=True))
        return weights @ atoms / weights.sum(1, keepdims=True)

    previous, current = first.flatten(1).numpy() + noise[0], second.flatten(1).numpy() + noise[1]
    states = walk(CFG, oracle(300), first, second, ItemNoise(KEYS))
    for step, state in enumerate(islice(states, 6)):
        frame = denoised(current + 0.7 * (current - previous))
        np.testing.assert_allclose(state.frame.flatten(1).numpy(), frame, rtol=0, atol=1e-9)
        previous, current = current, frame + noise[2 + step]


def test_without_noise_and_with_nothing_to_denoise_it_continues_a_straight_line() -> None:
    first = torch.rand(2, 1, 4, 4, dtype=torch.float64)
    velocity = 0.01 * torch.randn(2, 1, 4, 4, dtype=torch.float64)
    cfg = CFG.model_copy(update={"eta": 1.0, "sigma": 1e-14})
    states = walk(cfg, Identity(), first, first + velocity, ItemNoise(KEYS))
    for step, state in enumerate(islice(states, 6), 2):
        torch.testing.assert_close(state.frame, first + step * velocity, rtol=0, atol=1e-9)

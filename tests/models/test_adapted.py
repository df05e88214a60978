"""One Wiener denoiser, brought in every convention, is the closed form: D, J v, J^T v, and the walk."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from manex.denoisers.base import Denoiser
from manex.denoisers.wiener import Wiener
from manex.extrapolators.base import Denoised
from manex.extrapolators.tangent_flow import TangentFlow
from manex.extrapolators.tangent_space import TangentSpace
from manex.extrapolators.walk import walk
from manex.geometry.products import Jacobian
from manex.geometry.tangent import asymmetry
from manex.noises.draws import ItemNoise
from pipeline.models.adapted import Adapted, OnArrays
from pipeline.models.variance_preserving import VariancePreserving

SIGMA = 0.2


class Foreign(nn.Module):
    """The Wiener denoiser as others might have written it: in grey levels from `low` to `high`."""

    def __init__(self, exact: Wiener, predicts: str, low: float, high: float, blind: bool) -> None:
        super().__init__()
        self.exact, self.predicts, self.low, self.span, self.blind = exact, predicts, low, high - low, blind
        self.eval()

    def forward(self, noisy: Tensor, sigma: Tensor | None = None) -> Tensor:
        assert (sigma is None) == self.blind
        level = SIGMA if sigma is None else sigma.reshape(-1, 1, 1, 1) / self.span
        grey = (noisy - self.low) / self.span
        clean = torch.cat([self.exact(grey[:, c : c + 1], level) for c in range(grey.shape[1])], 1)
        return self.span * (grey - clean) if self.predicts == "noise" else self.low + self.span * clean


class Schedule(nn.Module):
    """A diffusion model's network that knows the Wiener denoiser: it takes a timestep and a scaled frame."""

    def __init__(self, exact: Wiener, predicts: str) -> None:
        super().__init__()
        self.exact, self.predicts = exact, predicts
        self.eval()

    def forward(self, scaled: Tensor, timestep: Tensor) -> Tensor:
        log_sigma = (
            -3 + 5 * timestep.double().reshape(-1, 1, 1, 1) / 99
        )  # the schedule below, between its timesteps too
        sigma = log_sigma.exp()
        a = 1 / (1 + sigma**2)
        y = scaled / a.sqrt().to(scaled)
        clean = 2 * self.exact((y + 1) / 2, sigma.to(y) / 2) - 1
        epsilon = (y - clean) / sigma.to(y)
        return {
            "sample": clean,
            "epsilon": epsilon,
            "v_prediction": a.sqrt().to(y) * epsilon - (1 - a).sqrt().to(y) * clean,
        }[self.predicts]


ALPHAS = 1 / (1 + (2 * torch.linspace(-3, 2, 100, dtype=torch.float64)).exp())


def foreign(predicts: Any, low: float, high: float, conditioned: bool) -> Callable[[Wiener], Adapted]:
    return lambda exact: Adapted(
        Foreign(exact, predicts, low, high, not conditioned), predicts, conditioned, (low, high)
    )


def diffusion(predicts: Any) -> Callable[[Wiener], Adapted]:
    return lambda exact: Adapted(
        VariancePreserving(Schedule(exact, predicts), ALPHAS, predicts), "image", True, (-1.0, 1.0)
    )


def three_channels(exact: Wiener) -> Adapted:
    return Adapted(Foreign(exact, "noise", -1.0, 1.0, True), "noise", value_range=(-1.0, 1.0), channels=3)


DIFFERENTIABLE = {
    "image": foreign("image", 0.0, 1.0, False),
    "noise": foreign("noise", 0.0, 1.0, False),
    "image in [-1, 1]": foreign("image", -1.0, 1.0, False),
    "noise in [0, 255], given sigma": foreign("noise", 0.0, 255.0, True),
    "image, white at -1 and black at 1": foreign("image", 1.0, -1.0, False),
    "three channels": three_channels,
    **{f"diffusion, {predicts}": diffusion(predicts) for predicts in ("epsilon", "sample", "v_prediction")},
}


def on_arrays(exact: Wiener) -> Adapted:
    def denoise(frames: np.ndarray, sigma: float) -> np.ndarray:
        clean: np.ndarray = exact(torch.from_numpy(frames), sigma).numpy()
        frames += 1  # what it does to its argument is its own affair
        return clean

    return Adapted(OnArrays(denoise), conditioned=True, differentiable=False)


def walked(cfg: Denoised, model: Denoiser, frames: Tensor, count: int) -> Tensor:
    """The frames that follow the first two, shape (count, 1, channel, height, width)."""
    states = walk(cfg, model, frames[:1], frames[1:2], ItemNoise([(0, 0)]))
    return torch.stack([state.frame for state in islice(states, count)])


@pytest.fixture
def exact(generator: torch.Generator) -> Wiener:
    return Wiener(torch.rand(9, 1, 5, 6, dtype=torch.float64, generator=generator))


@pytest.fixture
def noisy(generator: torch.Generator) -> Tensor:
    return torch.rand(3, 1, 5, 6, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize("name", [*DIFFERENTIABLE, "arrays"])
def test_in_every_convention_it_is_the_same_denoiser(name: str, exact: Wiener, noisy: Tensor) -> None:
    denoiser = {**DIFFERENTIABLE, "arrays": on_arrays}[name](exact)
    torch.testing.assert_close(denoiser(noisy, SIGMA), exact(noisy, SIGMA))
    single = exact.float()
    torch.testing.assert_close(denoiser(noisy.float(), SIGMA), single(noisy.float(), SIGMA), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "name", [name for name in DIFFERENTIABLE if "sigma" in name or "diffusion" in name] + ["arrays"]
)
def test_each_image_is_denoised_at_its_own_noise_level(name: str, exact: Wiener, noisy: Tensor) -> None:
    denoiser = {**DIFFERENTIABLE, "arrays": on_arrays}[name](exact)
    levels = (0.1, 0.4, 0.4)
    sigmas = torch.tensor(levels, dtype=torch.float64).reshape(3, 1, 1, 1)
    alone = torch.cat([exact(image[None], level) for image, level in zip(noisy, levels, strict=True)])
    torch.testing.assert_close(denoiser(noisy, sigmas), alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_in_every_convention_it_has_the_same_jacobian(
    name: str, exact: Wiener, noisy: Tensor, generator: torch.Generator
) -> None:
    jacobian = Jacobian(DIFFERENTIABLE[name](exact).at(SIGMA), noisy)
    vectors = torch.randn(3, 4, *noisy.shape[1:], dtype=torch.float64, generator=generator)
    expected = exact.jacobian_product(noisy, SIGMA, vectors)
    assert jacobian.exact
    torch.testing.assert_close(jacobian.jvp(vectors), expected)
    torch.testing.assert_close(jacobian.vjp(vectors), expected)  # C (C + sigma^2 I)^-1 is symmetric


def test_a_function_of_arrays_has_the_same_jacobian_by_finite_differences(
    exact: Wiener, noisy: Tensor, generator: torch.Generator
) -> None:
    jacobian = Jacobian(on_arrays(exact).at(SIGMA), noisy)
    vectors = torch.randn(3, 4, *noisy.shape[1:], dtype=torch.float64, generator=generator)
    assert jacobian.backend == "finite_difference"
    torch.testing.assert_close(jacobian.jvp(vectors), exact.jacobian_product(noisy, SIGMA, vectors), atol=1e-8, rtol=0)
    assert asymmetry(jacobian, 4).isnan().all()  # without J^T v nothing is known of it


def test_a_function_of_arrays_leaves_the_frames_as_they_were(exact: Wiener, noisy: Tensor) -> None:
    before = noisy.clone()
    on_arrays(exact)(noisy, SIGMA)
    assert torch.equal(noisy, before)


@pytest.mark.parametrize("name", [*DIFFERENTIABLE, "arrays"])
def test_it_walks_as_the_built_in_one(name: str, exact: Wiener, noisy: Tensor) -> None:
    cfg = TangentFlow(sigma=SIGMA, substeps=2)
    denoiser = {**DIFFERENTIABLE, "arrays": on_arrays}[name](exact)
    own, built_in = (walked(cfg, model, noisy, 3) for model in (denoiser, exact))
    torch.testing.assert_close(own, built_in, atol=1e-7, rtol=1e-7)


@pytest.mark.filterwarnings("ignore:no J.T v from a black box")
def test_a_black_box_walks_in_its_tangent_space_as_the_built_in_one(exact: Wiener, noisy: Tensor) -> None:
    cfg = TangentSpace(sigma=SIGMA, eta=1, rank=3, tolerance=1e-6)
    own, built_in = (walked(cfg, model, noisy, 2) for model in (on_arrays(exact), exact))
    torch.testing.assert_close(own, built_in, atol=1e-5, rtol=1e-5)


def test_a_one_channel_denoiser_takes_each_channel_on_its_own(exact: Wiener, generator: torch.Generator) -> None:
    colour = torch.rand(2, 3, 5, 6, dtype=torch.float64, generator=generator)
    denoiser = Adapted(Foreign(exact, "image", 0.0, 1.0, False), conditioned=True, channels=1)
    expected = torch.cat([exact(colour[:, c : c + 1], SIGMA) for c in range(3)], 1)
    torch.testing.assert_close(denoiser(colour, SIGMA), expected)


def test_frames_are_filled_up_with_black_and_cut_again() -> None:
    seen = []

    class Looks(nn.Module):
        def forward(self, frames: Tensor) -> Tensor:
            seen.append(frames)
            return frames

    noisy = torch.rand(2, 1, 5, 6)
    torch.testing.assert_close(Adapted(Looks().eval(), value_range=(-1.0, 1.0), multiple=4)(noisy, 0.1), noisy)
    assert seen[0].shape == (2, 1, 8, 8)
    assert (seen[0][..., 5:, :] == -1).all()


def test_noise_levels_beyond_the_schedule_take_its_ends() -> None:
    module = VariancePreserving(nn.Identity(), ALPHAS)
    assert module.timesteps(torch.tensor([1e-6, 1e6])).tolist() == [0, 99]
    low, high = module.sigma_range
    assert (low, high) == (pytest.approx(np.exp(-3)), pytest.approx(np.exp(2)))


def test_networks_that_look_timesteps_up_get_whole_ones() -> None:
    steps = VariancePreserving(nn.Identity(), ALPHAS, whole=True).timesteps(torch.linspace(0.1, 3, 7))
    assert torch.equal(steps, steps.round())


def test_a_range_without_extent_is_refused() -> None:
    with pytest.raises(ValueError, match="black and white are the same"):
        Adapted(nn.Identity(), value_range=(1.0, 1.0))


def test_attention_can_be_differentiated(generator: torch.Generator) -> None:
    """By the fused kernels it cannot, twice."""

    class Attends(nn.Module):
        def forward(self, frames: Tensor) -> Tensor:
            rows = frames.flatten(1, 2)
            return nn.functional.scaled_dot_product_attention(rows, rows, rows).reshape(frames.shape)

    y = torch.rand(2, 1, 4, 4, dtype=torch.float64, generator=generator)
    v = torch.rand(2, 1, 1, 4, 4, dtype=torch.float64, generator=generator)
    denoiser = Adapted(Attends().eval())
    by_differences = Jacobian(denoiser.at(0.1), y, backend="finite_difference").jvp(v)
    torch.testing.assert_close(Jacobian(denoiser.at(0.1), y).jvp(v), by_differences, atol=1e-8, rtol=0)

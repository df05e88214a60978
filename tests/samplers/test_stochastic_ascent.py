"""Stochastic ascent against its closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError
from torch import Generator, Tensor

from manex import Denoiser, DiracMixture, ItemNoise
from manex.measurements.base import Measurement
from manex.measurements.pixels import Pixels, pixels
from manex.measurements.random_basis import RandomBasis, random_basis
from manex.samplers.base import last
from manex.samplers.stochastic_ascent import StochasticAscent, stochastic_ascent

SHAPE = (1, 8, 8)


def normal(seed: int, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=Generator().manual_seed(seed), dtype=torch.float64)


class Blind(DiracMixture):
    blind = True


class Gaussian(Denoiser):
    """Exact for N(0, C)."""

    def __init__(self, covariance: Tensor) -> None:
        super().__init__()
        self.covariance = covariance

    def forward(self, noisy: Tensor, sigma: float) -> Tensor:
        gain = torch.linalg.solve(self.covariance + sigma**2 * torch.eye(len(self.covariance)), self.covariance)
        return (noisy.flatten(1) @ gain).reshape(noisy.shape)


@pytest.mark.parametrize(("h", "beta", "steps"), [(0.01, 1, 32), (0.01, 0.5, 47), (0.01, 0.1, 127), (0.01, 0.01, 661)])
def test_the_number_of_steps_from_1_to_a_hundredth(h: float, beta: float, steps: int) -> None:
    cfg = StochasticAscent(h=h, beta=beta)
    found = list(stochastic_ascent(DiracMixture(normal(0, 1, *SHAPE)), normal(1, 1, *SHAPE), cfg, ItemNoise([(0,)])))
    assert len(found) - 1 == steps  # the last state is the one that is found to be done


@pytest.mark.parametrize("beta", [1, 0.3, 0.05])
def test_the_level_falls_by_1_minus_beta_h_around_a_single_image(beta: float) -> None:
    shape, cfg = (1, 300, 300), StochasticAscent(h=0.1, beta=beta, most=30)
    image = normal(0, 1, *shape)
    states = stochastic_ascent(Blind(image), image + normal(1, 1, *shape), cfg, ItemNoise([(0,)]))
    expected = 1.0
    for t, state in enumerate(states, 1):
        if not state.going:
            break
        expected *= 1 - beta * cfg.step(t)
        assert (state.frame - image).square().mean().sqrt().item() == pytest.approx(expected, rel=0.02)


def test_what_is_measured_is_reached_at_a_known_rate_whatever_the_denoiser() -> None:
    measurement, cfg = pixels(Pixels(share=0.5), SHAPE), StochasticAscent(h=0.05, beta=1, most=12)
    start, values = normal(0, 3, *SHAPE), normal(1, 3, 32)
    apart, rate = measurement.measure(start) - values, 1.0
    states = stochastic_ascent(DiracMixture(normal(2, 5, *SHAPE)), start, cfg, ItemNoise([(i,) for i in range(3)]),
                               measurement, values)  # fmt: skip
    for t, state in enumerate(states, 1):
        if not state.going.any():
            break
        rate *= 1 - cfg.step(t)
        torch.testing.assert_close(measurement.measure(state.frame) - values, rate * apart)


def test_measuring_nothing_is_algorithm_1_and_measuring_all_gives_the_values() -> None:
    cfg, start = StochasticAscent(beta=0.5), normal(0, 2, *SHAPE)
    denoiser = DiracMixture(normal(1, 6, *SHAPE))

    def end(measurement: Measurement | None, values: Tensor | None) -> Tensor:
        noise = ItemNoise([(0,), (1,)])
        return last(stochastic_ascent(denoiser, start, cfg, noise, measurement, values)).frame

    nothing = Measurement(torch.empty(0, 64, dtype=torch.float64), SHAPE)
    assert torch.equal(end(nothing, torch.empty(2, 0, dtype=torch.float64)), end(None, None))
    everything, values = random_basis(RandomBasis(share=1), SHAPE), normal(2, 2, 64)
    assert (everything.measure(end(everything, values)) - values).square().mean().sqrt() < 2 * cfg.sigma_end


def test_of_two_images_the_one_that_fits_the_measurement_is_found() -> None:
    images, measurement = normal(0, 2, *SHAPE) / 10, pixels(Pixels(share=0.5), SHAPE)
    values = measurement.measure(images[[0, 1, 0]])
    noise = ItemNoise([(i,) for i in range(3)])
    cfg = StochasticAscent(beta=0.2)
    states = stochastic_ascent(DiracMixture(images), normal(1, 3, *SHAPE), cfg, noise, measurement, values)
    torch.testing.assert_close(last(states).clean, images[[0, 1, 0]], atol=1e-6, rtol=0)


def test_the_mean_given_a_measurement_is_that_of_the_gaussian() -> None:
    mixed = normal(0, 12, 12) / 12**0.5
    covariance = mixed @ mixed.T + 0.1 * torch.eye(12, dtype=torch.float64)
    measurement = random_basis(RandomBasis(share=0.5), (1, 3, 4))
    rows, values = measurement.rows, normal(1, 1, 6)
    gain = covariance @ rows.T @ torch.linalg.inv(rows @ covariance @ rows.T)
    deviation = (covariance - gain @ rows @ covariance).diagonal().clamp(min=0).sqrt()
    count, cfg = 400, StochasticAscent(beta=0.01)
    states = stochastic_ascent(
        Gaussian(covariance), normal(2, count, 1, 3, 4), cfg, ItemNoise([(i,) for i in range(count)]),
        measurement, values.expand(count, -1),
    )  # fmt: skip
    found = last(states).clean.flatten(1).mean(0)
    assert (found - (gain @ values[0])).abs().max() < 0.2 * deviation.max()


def test_an_items_way_does_not_depend_on_the_others() -> None:
    denoiser, start = Blind(normal(0, 6, *SHAPE)), normal(1, 5, *SHAPE) * torch.linspace(0.1, 1, 5)[:, None, None, None]
    cfg = StochasticAscent(beta=0.5)
    together = last(stochastic_ascent(denoiser, start, cfg, ItemNoise([(i,) for i in range(5)])))
    for item in range(5):
        alone = last(stochastic_ascent(denoiser, start[item : item + 1], cfg, ItemNoise([(item,)])))
        torch.testing.assert_close(alone.clean[0], together.clean[item])


class Repelling(Denoiser):
    """Pushes every image away."""

    blind = True

    def forward(self, noisy: Tensor, sigma: float) -> Tensor:
        return 3 * noisy


def test_an_image_that_leaves_all_images_ends_marked_and_finite() -> None:
    state = last(stochastic_ascent(Repelling(), normal(0, 2, *SHAPE), StochasticAscent(h=0.5), ItemNoise([(0,), (1,)])))
    assert state.diverged.all()
    assert state.frame.isfinite().all()


class Broken(DiracMixture):
    """Has no answer for the second image of a batch."""

    blind = True

    def forward(self, noisy: Tensor, sigma: float) -> Tensor:
        clean = super().forward(noisy, 0.3)
        clean[1:2] = torch.nan
        return clean


def test_an_image_without_an_answer_ends_marked_and_finite_and_the_others_go_on() -> None:
    start, noise = normal(1, 2, *SHAPE), ItemNoise([(0,), (1,)])
    state = last(stochastic_ascent(Broken(normal(0, 6, *SHAPE)), start, StochasticAscent(beta=0.5), noise))
    assert state.diverged.tolist() == [False, True]
    assert state.frame.isfinite().all()
    assert state.clean.isfinite().all()
    assert state.level.isfinite().all()


def test_settings_and_values_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValidationError, match="sigma_end=2 must be below sigma_start=1"):
        StochasticAscent(sigma_end=2)
    start, measurement = normal(0, 2, *SHAPE), pixels(Pixels(share=0.5), SHAPE)
    for given in ({"measurement": measurement}, {"values": normal(1, 2, 32)}):
        with pytest.raises(ValueError, match="needed together"):
            next(stochastic_ascent(DiracMixture(start), start, StochasticAscent(), ItemNoise([(0,), (1,)]), **given))
    with pytest.raises(ValueError, match=r"\(2, 32\) values are needed, not \(2, 31\)"):
        next(
            stochastic_ascent(
                DiracMixture(start), start, StochasticAscent(), ItemNoise([(0,), (1,)]), measurement, normal(1, 2, 31)
            )
        )


def test_steps_grow_from_h_to_one() -> None:
    steps = [StochasticAscent(h=0.01).step(t) for t in (1, 2, 10**6)]
    assert steps == pytest.approx([0.01, 0.02 / 1.01, 1], rel=1e-3)
    assert math.isclose(StochasticAscent(h=0.01, growing=False).step(50), 0.01)

from __future__ import annotations

import math
import re

import pytest
import torch
from laws import COLOURED, LAWS, dense, name
from pydantic import ValidationError
from scipy import stats
from torch import Generator

from manex.noises.base import Noise, law
from manex.noises.draws import ItemNoise, noise_like
from manex.noises.free_field import FreeField
from manex.noises.gaussian_process import GaussianProcess
from manex.noises.white import White

every_law = pytest.mark.parametrize("noise", LAWS, ids=name)
coloured = pytest.mark.parametrize("noise", COLOURED, ids=name)
sizes = pytest.mark.parametrize(("height", "width"), [(6, 6), (5, 7), (4, 6), (7, 3)])


@every_law
@sizes
def test_the_covariance_is_that_of_the_definition(noise: Noise, height: int, width: int) -> None:
    torch.testing.assert_close(noise.covariance(height, width), dense(noise, height, width), rtol=0, atol=1e-10)


@every_law
@sizes
def test_every_pixel_has_unit_variance(noise: Noise, height: int, width: int) -> None:
    variances = noise.covariance(height, width).diagonal()
    torch.testing.assert_close(variances, torch.ones_like(variances), rtol=0, atol=1e-12)
    assert variances.sum().item() == pytest.approx(height * width)


@every_law
def test_draws_have_the_covariance(noise: Noise, generator: Generator) -> None:
    n, (height, width) = 20000, (5, 4)
    drawn = noise_like(torch.zeros(n, 2, height, width, dtype=torch.float64), generator, noise)
    expected = torch.block_diag(*[dense(noise, height, width)] * 2)  # channels are independent
    torch.testing.assert_close(drawn.flatten(1).T.cov(), expected, rtol=0, atol=5 / math.sqrt(n))


@coloured
def test_draws_pass_a_chi_square_at_every_frequency(noise: Noise, generator: Generator) -> None:
    """In the eigenbasis of S the squared coefficients over the eigenvalues are chi-square."""
    values, vectors = torch.linalg.eigh(dense(noise, 6, 6))
    drawn = noise_like(torch.zeros(500, 1, 6, 6, dtype=torch.float64), generator, noise).flatten(1)
    scores = ((drawn @ vectors) ** 2 / values).sum(0).numpy()
    p = stats.chi2(500).sf(scores)
    assert (p > 1e-4).all()
    assert (p < 1 - 1e-4).all()


@every_law
@sizes
def test_whitening_undoes_colouring(noise: Noise, height: int, width: int, generator: Generator) -> None:
    v = torch.randn(3, 2, height, width, generator=generator, dtype=torch.float64)
    torch.testing.assert_close(noise.colour(noise.whiten(v)), v, rtol=0, atol=1e-10)
    torch.testing.assert_close(noise.whiten(noise.colour(v)), v, rtol=0, atol=1e-10)


@every_law
def test_the_root_is_symmetric(noise: Noise, generator: Generator) -> None:
    a, b = torch.randn(2, 4, 1, 5, 6, generator=generator, dtype=torch.float64)
    torch.testing.assert_close((noise.colour(a) * b).sum(), (a * noise.colour(b)).sum())
    torch.testing.assert_close((noise.whiten(a) * b).sum(), (a * noise.whiten(b)).sum())


@pytest.mark.parametrize("noise", [White(), FreeField(gamma=0)], ids=name)
def test_white_noise_is_the_draw_itself_bit_for_bit(noise: Noise) -> None:
    frames = torch.zeros(3, 1, 4, 4)
    assert noise.is_white
    assert noise.colour(frames) is frames
    assert noise.whiten(frames) is frames
    drawn = noise_like(frames, Generator().manual_seed(1), noise)
    assert torch.equal(drawn, torch.randn(frames.shape, generator=Generator().manual_seed(1)))
    keys = [(0, 1), (2, 3), (4, 5)]
    assert torch.equal(ItemNoise(keys, noise).like(frames), ItemNoise(keys).like(frames))


@coloured
def test_an_items_noise_does_not_depend_on_its_batch(noise: Noise) -> None:
    frames = torch.zeros(3, 1, 6, 6)
    together = ItemNoise([(0, 0), (0, 1), (1, 0)], noise).like(frames)
    torch.testing.assert_close(together[1:2], ItemNoise([(0, 1)], noise).like(frames[:1]), rtol=0, atol=1e-6)


@coloured
def test_single_precision_is_good_enough(noise: Noise, generator: Generator) -> None:
    v = torch.randn(2, 1, 20, 20, generator=generator)
    assert noise.colour(v).dtype == torch.float32
    torch.testing.assert_close(noise.colour(v), noise.colour(v.double()).float(), rtol=0, atol=1e-5)
    torch.testing.assert_close(noise.whiten(noise.colour(v)), v, rtol=0, atol=1e-4)


def test_neighbours_of_both_matched_laws_correlate_alike() -> None:
    """The free field of gamma 1/2 and the longest process are the ones to compare with white noise."""
    assert FreeField(gamma=0.5).covariance(20, 20)[0, 1].item() == pytest.approx(0.283, abs=1e-3)
    assert GaussianProcess().covariance(20, 20)[0, 1].item() == pytest.approx(0.341, abs=1e-3)


def test_the_longest_process_can_still_be_inverted() -> None:
    values = torch.linalg.eigvalsh(GaussianProcess().covariance(20, 20))
    assert 30 < (values[-1] / values[0]).item() < 50


@every_law
def test_settings_name_a_law_by_its_kind(noise: Noise) -> None:
    assert law(noise.model_dump()) == noise
    assert law(noise) is noise
    assert hash(law(noise.model_dump())) == hash(noise)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"kind": "pink"}, '"pink" is unknown; known: free_field, gaussian_process, white'),
        ({"kind": "base"}, '"base" is unknown'),
        ({"kind": "free_field"}, "gamma: Field required"),
        ({"kind": "free_field", "gamma": -1}, "gamma: Input should be greater"),
        ({"kind": "gaussian_process", "length": 1.0}, "length: Input should be less"),
        ({"kind": "white", "gamma": 1}, "gamma: Extra inputs"),
        ({"gamma": 1}, "kind: NAME"),
        ("white", "kind: NAME"),
    ],
)
def test_what_is_no_law_is_refused_in_one_line(value: object, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)) as caught:
        law(value)
    assert "\n" not in str(caught.value)


def test_laws_do_not_change() -> None:
    with pytest.raises(ValidationError):
        FreeField(gamma=1).gamma = 2

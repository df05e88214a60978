"""The report card: what is exact for exact denoisers, by draws of their own priors and by closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from circles import linear
from torch import Tensor

from manex.analyses.base import Rows, Subject
from manex.analyses.card import Card, card
from manex.arrays import Frames, Level
from manex.datasets.dataset import Dataset
from manex.denoisers.base import Denoiser
from manex.denoisers.memoriser import Memoriser
from manex.denoisers.tikhonov import Tikhonov
from manex.denoisers.wiener import Wiener
from manex.errors import MetricError
from manex.noises.free_field import FreeField

SIZE, DRAWS = 6, 40_000
IDENTITIES = ["energy", "calibration", "sure"]


def stills(known: Frames, held_out: Frames) -> Dataset:
    frames = torch.cat([known, held_out])
    return Dataset(
        videos=torch.zeros(0, 3, *frames.shape[1:]),
        frames=frames,
        clip=torch.arange(len(frames)),
        held_out=torch.arange(len(known), len(frames)),
    )


ATOMS = 0.4 + 0.2 * torch.rand(20, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(2))


def atoms(draws: int = DRAWS) -> Dataset:
    """Held-out frames are draws of the training frames."""
    return stills(ATOMS, ATOMS[torch.randint(len(ATOMS), (draws,), generator=torch.Generator().manual_seed(3))])


def gaussian(noise: FreeField | None = None) -> tuple[Wiener, Dataset]:
    """Held-out frames are draws of the Gaussian that is fitted to the training frames."""
    wiener = Wiener(ATOMS, noise) if noise else Wiener(ATOMS)
    z = torch.randn(DRAWS, len(wiener.variances), generator=torch.Generator().manual_seed(3))
    drawn = ((z * wiener.variances.sqrt()) @ wiener.axes).reshape(-1, 1, SIZE, SIZE)
    return wiener, stills(ATOMS, (wiener.mean + wiener.noise.colour(drawn)).clamp(0, 1))


def named(denoiser: Denoiser, name: str = "it") -> Subject:
    return Subject(name, name, denoiser, sigma=0.0)


def carded(denoiser: Denoiser, dataset: Dataset, *levels: float, **settings: int) -> list[dict[str, float | str]]:
    """The rows of `card`, by level."""
    cfg = Card(sigma=levels, **{"images": DRAWS, "matrices": 4, **settings})
    parts = [part for part in card([named(denoiser)], dataset, cfg) if part.table == "card"]
    return [{name: values[0] for name, values in part.columns.items()} for part in parts]


def images_of(denoiser: Denoiser, dataset: Dataset, cfg: Card) -> Rows:
    return next(part for part in card([named(denoiser)], dataset, cfg) if part.table == "card_images")


@pytest.mark.parametrize("sigma", [0.1, 0.2])
def test_the_identities_hold_for_the_exact_denoiser_of_the_atoms_that_are_drawn(sigma: float) -> None:
    (row,) = carded(Memoriser(ATOMS), atoms(), sigma)
    assert [row[name] for name in IDENTITIES] == pytest.approx([1, 1, 1], abs=0.02)
    assert row["orthogonality"] == pytest.approx(0, abs=0.01)
    assert row["asymmetry"] < 1e-5
    assert row["eigenvalue_min"] > -1e-5


def test_the_identities_hold_for_the_exact_denoiser_of_a_gaussian() -> None:
    wiener, dataset = gaussian()
    (row,) = carded(wiener, dataset, 0.05)
    assert [row[name] for name in IDENTITIES] == pytest.approx([1, 1, 1], abs=0.02)
    assert row["orthogonality"] == pytest.approx(0, abs=0.01)
    assert -1e-6 < row["eigenvalue_min"] <= row["eigenvalue_max"] < 1
    assert row["outside"] == 0


def test_the_identities_hold_under_coloured_noise_with_its_covariance_in_the_trace() -> None:
    wiener, dataset = gaussian(FreeField(gamma=0.5))
    (row,) = carded(wiener, dataset, 0.05, probes=8)
    assert [row[name] for name in IDENTITIES] == pytest.approx([1, 1, 1], abs=0.02)
    assert row["asymmetry"] < 1e-4  # of S^(-1/2) J S^(1/2)


def test_a_denoiser_of_other_images_breaks_the_identities() -> None:
    """Sure of its atoms and wrong: the posterior has no spread, the error is that between images."""
    other = stills(ATOMS, torch.rand(200, 1, SIZE, SIZE, generator=torch.Generator().manual_seed(9)))
    (row,) = carded(Memoriser(ATOMS), other, 0.01)
    assert row["calibration"] < 0.05
    assert row["energy"] > 2


def test_tikhonov_has_its_closed_form_spectrum() -> None:
    """Gains 1 / (1 + strength sigma^2 mu), mu from 0 to that of the fastest cosine in both directions."""
    sigma, strength = 0.1, 15.0
    (row,) = carded(Tikhonov(strength), atoms(4), sigma)
    fastest = 2 * (2 - 2 * math.cos(math.pi * (SIZE - 1) / SIZE))
    assert row["eigenvalue_max"] == pytest.approx(1, abs=1e-5)
    assert row["eigenvalue_min"] == pytest.approx(1 / (1 + strength * sigma**2 * fastest), abs=1e-5)
    assert row["asymmetry"] < 1e-5


def test_sure_estimates_the_error_of_a_denoiser_that_is_not_exact() -> None:
    _, dataset = gaussian()
    (row,) = carded(Tikhonov(), dataset, 0.1)
    assert row["sure"] == pytest.approx(1, abs=0.03)
    assert abs(row["calibration"] - 1) > 0.1


class Lopsided(Denoiser):
    """D(y) = A y with A = [[1, 1], [0, 1]] / 2 on pairs of pixels."""

    def forward(self, noisy: Frames, sigma: Level) -> Frames:
        left, right = noisy[..., ::2], noisy[..., 1::2]
        return torch.stack([left + right, right], -1).flatten(-2) / 2


def test_symmetry_is_closed_under_mixing_and_not_under_composition() -> None:
    """[[0, 1], [1, 1]] [[0, 1], [1, 0]] = [[1, 0], [1, 1]]: two symmetric Jacobians, one that is not."""

    class Mixed(Denoiser):
        def forward(self, noisy: Frames, sigma: Level) -> Frames:
            return 0.3 * Tikhonov()(noisy, sigma) + 0.7 * noisy

    class Composed(Denoiser):
        def forward(self, noisy: Frames, sigma: Level) -> Frames:
            swapped = noisy.unflatten(-1, (-1, 2)).flip(-1)
            left, right = swapped.unbind(-1)
            return torch.stack([right, left + right], -1).flatten(-2)

    assert carded(Mixed().eval(), atoms(4), 0.1)[0]["asymmetry"] < 1e-5
    assert carded(Composed().eval(), atoms(4), 0.1)[0]["asymmetry"] > 0.3


def test_the_asymmetry_is_that_of_the_matrix() -> None:
    """|[[0, 1], [-1, 0]]| / |[[2, 1], [1, 2]]| = sqrt(2 / 10)."""
    (row,) = carded(Lopsided().eval(), atoms(4), 0.1)
    assert row["asymmetry"] == pytest.approx(math.sqrt(0.2), rel=1e-4)
    assert row["eigenvalue_max"] == pytest.approx(0.75, abs=1e-5)


def test_a_linear_denoiser_is_homogeneous_and_a_projector_changes_nothing_twice() -> None:
    subject = linear(torch.ones(3))
    wide = torch.rand(30, 1, 8, 8, generator=torch.Generator().manual_seed(5))
    (row,) = carded(subject.denoiser, stills(wide[:5], wide[5:]), 0.1)
    assert row["homogeneity"] < 1e-5
    assert row["idempotence"] < 1e-3
    assert row["effective_dimension"] == pytest.approx(3, abs=0.6)


def test_the_monotone_share_is_known_from_the_second_level_on() -> None:
    rows = carded(Memoriser(ATOMS), atoms(50), 0.3, 0.1)
    assert [row["sigma_255"] for row in rows] == [25.5, 76.5]
    assert math.isnan(rows[0]["monotone"])
    assert rows[1]["monotone"] == 1


class Rounded(Denoiser):
    """A box of numpy arrays, which nobody can differentiate."""

    differentiable = False

    def forward(self, noisy: Frames, sigma: Level) -> Frames:
        return torch.from_numpy(noisy.numpy() * 0.8)


def test_what_cannot_be_known_is_missing_with_its_reason() -> None:
    (row,) = carded(Rounded().eval(), atoms(20), 0.1)
    assert all(math.isnan(row[name]) for name in ("asymmetry", "eigenvalue_min", "eigenvalue_max", "outside"))
    assert "not differentiable" in str(row["note"])
    assert row["effective_dimension"] == pytest.approx(0.8 * SIZE**2, rel=0.01)


def test_a_level_beyond_the_noise_of_the_training_is_noted() -> None:
    denoiser = linear(torch.ones(3)).denoiser
    denoiser.sigma_range = (0.0, 0.1)
    wide = torch.rand(9, 1, 8, 8, generator=torch.Generator().manual_seed(5))
    low, high = carded(denoiser, stills(wide[:5], wide[5:]), 0.1, 0.2)
    assert low["note"] == ""
    assert high["note"] == "it was trained on noise up to 25.5/255"


def test_the_rows_of_images_have_the_parts_of_the_ratios() -> None:
    cfg = Card(sigma=(0.1,), images=50, matrices=3)
    images = images_of(Memoriser(ATOMS), atoms(80), cfg).columns
    columns = {name: torch.tensor(values) for name, values in images.items() if name != "denoiser"}
    (row,) = carded(Memoriser(ATOMS), atoms(80), 0.1, images=50, matrices=3)
    error, removed, trace = (columns[name].mean() for name in ("error", "removed", "trace"))
    assert float(error + removed) == pytest.approx(row["energy"], rel=1e-5)
    assert float(trace / error) == pytest.approx(row["calibration"], rel=1e-5)
    assert int((~columns["asymmetry"].isnan()).sum()) == 3
    assert _is_spread(columns["image"])


def _is_spread(numbers: Tensor) -> bool:
    return int(numbers[0]) == 0 and int(numbers[-1]) == 79 and bool((numbers.diff() > 0).all())


def test_without_held_out_frames_there_is_nothing_to_judge_by() -> None:
    with pytest.raises(MetricError, match="no frame is held out"):
        next(card([named(Tikhonov())], stills(ATOMS, ATOMS[:0]), Card()))

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.engine.cell import Ending
from pipeline.engine.plan import plan
from pipeline.engine.times import Times
from pipeline.errors import UserError
from pipeline.paths import Paths


class Stub:
    """A cell, as `Times` sees it."""

    def __init__(self, name: str, **settings: object) -> None:
        self.name, self.kind, self.params = name, name.partition("@")[0], {"train.d.m": settings}


@pytest.fixture
def times(tmp_path: Path) -> Times:
    times = Times(Paths(tmp_path))
    times.note(Stub("train@d-m", network="unet", steps=100), Ending(0, "", 50.0, 50.0, 300.0, ""))
    return times


def test_a_cell_takes_what_it_took(times: Times) -> None:
    guess = times.guess(Stub("train@d-m", network="unet", steps=100))
    assert guess is not None
    assert (guess.seconds, guess.memory_mb, guess.source) == (50, 300, "record")


def test_twice_the_steps_take_twice_as_long(times: Times) -> None:
    guess = times.guess(Stub("train@d-n", network="unet", steps=200))
    assert guess is not None
    assert (guess.seconds, guess.source) == (100, "similar")


def test_what_it_took_with_other_settings_is_not_its_record(times: Times) -> None:
    guess = times.guess(Stub("train@d-m", network="unet", steps=100, sigma=25))
    assert guess is not None
    assert (guess.seconds, guess.source) == (50, "similar")


@pytest.mark.parametrize(
    "other",
    [
        Stub("train@d-n", network="vae", steps=100),
        Stub("train@d-n", network="unet", steps=10_000),
        Stub("walk@d-n", network="unet", steps=100),
    ],
)
def test_of_what_is_not_alike_nothing_is_known(other: Stub, times: Times) -> None:
    assert times.guess(other) is None


def test_what_was_noted_is_read_again(times: Times, tmp_path: Path) -> None:
    times.write()
    assert Times(Paths(tmp_path)).took == times.took


def test_an_unknown_profile_is_named(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "smoke.yaml").touch()
    with pytest.raises(UserError, match='did you mean "smoke"'):
        list(plan(Paths(tmp_path), "smkoe"))

import sys

import pytest

from pipeline import progress


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still until the test moves it."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_items_pass_unchanged_and_in_order() -> None:
    assert list(progress.track(iter("abc"), "letters", 3)) == ["a", "b", "c"]


def test_a_quick_loop_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    list(progress.track(range(1000), "counting"))
    assert capsys.readouterr() == ("", "")


def test_a_slow_loop_says_every_tenth_how_long_it_will_take(
    ticking: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in progress.track(range(100), "walking"):
        ticking[0] += 1
    output, lines = capsys.readouterr()
    assert output == ""
    assert lines.splitlines()[0] == "walking: 10/100 after 0:10, about 1:30 left"
    assert lines.splitlines()[-1] == "walking: 100 done in 1:40"
    assert len(lines.splitlines()) == 10


def test_a_tally_says_how_many_are_done_failed_and_left(
    ticking: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in progress.tally(range(10), "cells", 10, lambda item: item % 5 == 1):
        ticking[0] += 6
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "cells (1 done, 0 failed, 9 left): 1/10 after 0:06, about 0:54 left"
    assert lines[6] == "cells (5 done, 2 failed, 3 left): 7/10 after 0:42, about 0:18 left"
    assert lines[-1] == "cells (8 done, 2 failed, 0 left): 10 done in 1:00"


def test_a_tally_on_a_terminal_is_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    assert list(progress.tally("abc", "cells", 3, lambda item: item == "b")) == ["a", "b", "c"]
    assert "cells (2 done, 1 failed, 0 left)" in capsys.readouterr().err


def test_lines_are_five_seconds_apart(ticking: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    for _ in progress.track(iter(range(100)), "walking"):
        ticking[0] += 0.2
    assert len(capsys.readouterr().err.splitlines()) <= 4


def test_a_loop_that_ends_early_says_how_far_it_came(ticking: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    for _ in progress.track(range(3), "training", 10):
        ticking[0] += 30
    assert capsys.readouterr().err.splitlines()[-1] == "training: 3 done in 1:30"


def test_a_terminal_gets_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    assert list(progress.track(range(3), "walking")) == [0, 1, 2]
    assert "walking" in (text := capsys.readouterr().err)
    assert "3/3" in text


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (59.6, "1:00"), (3723, "1:02:03")])
def test_a_clock_is_read_as_people_read_it(seconds: float, shown: str) -> None:
    assert progress.clock(seconds) == shown

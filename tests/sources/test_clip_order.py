"""The order of frames: what a person reads in their names, or a refusal that names the first two in doubt."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.clips.order import gap, in_order, natural
from pipeline.errors import UserError


def ordered(names: Sequence[str]) -> list[str]:
    """The order, whatever order the names come in."""
    shuffled = random.Random(0).sample(list(names), len(names))
    return [path.name for path in in_order([Path("clip", name) for name in shuffled])]


SERIES = {
    "padded": [f"frame_{n:04}.png" for n in range(12)],
    "not padded": [f"frame_{n}.png" for n in range(12)],
    "numbers alone": [f"{n}.png" for n in range(12)],
    "negative angles": [f"angle_{n}.png" for n in range(-60, 60, 5)],
    "negative after a letter": [f"angle{n}.png" for n in range(-60, 60, 5)],
    "signs everywhere": [f"angle_{n:+d}.png" for n in range(-60, 60, 5)],
    "signs after a letter": [f"a{n:+03d}.png" for n in range(-60, 60, 5)],
    "a minus sign": [f"angle_{n}.png".replace("-", "\N{MINUS SIGN}") for n in range(-3, 4)],
    "all negative": [f"z_{n}.png" for n in range(-30, -3)],
    "bare negative": [f"{n}.png" for n in range(-12, 12)],
    "a hyphen": [f"frame-{n}.png" for n in range(12)],
    "two hyphens": [f"my-clip-{n}.png" for n in range(12)],
    "a hyphen between numbers": [f"7-{n}.png" for n in range(12)],
    "decimals": [f"t={n / 20:g}.png" for n in range(30)],
    "decimals of one width": [f"t{n / 20:.2f}.png" for n in range(30)],
    "negative decimals": [f"x_{n / 4}.png" for n in range(-9, 9)],
    "a decimal comma": [f"t={n / 20:g}.png".replace(".", ",", n % 20 > 0) for n in range(30)],
    "no zero before the point": ["t=-.5.png", "t=-.25.png", "t=.05.png", "t=.1.png", "t=.25.png", "t=1.5.png"],
    "exponents": ["t=1e-05.png", "t=0.0001.png", "t=0.01.png", "t=1.png"],
    "a dot before the number": [f"shot.{n:04}.png" for n in range(12)],
    "a version": [f"v1.2.3_{n}.png" for n in range(12)],
    "a copy of the whole series": [f"frame ({n}).png" for n in range(1, 12)],
    "a number that stays": [f"cam2_frame{n}.png" for n in range(12)],
    "a total": [f"{n}_of_12.png" for n in range(1, 13)],
    "a number and its time": [f"frame_{n}_t{n / 25:.2f}.png" for n in range(12)],
    "upper and lower case": [f"{'IMG' if n % 2 else 'img'}_{n}.png" for n in range(12)],
    "suffixes that differ": [f"frame_{n}.{'bmp' if n % 2 else 'png'}" for n in range(12)],
    "times of day": [
        (datetime(2024, 1, 5, 12, 59, 50) + timedelta(seconds=n)).strftime("Shot %Y-%m-%d at %H.%M.%S.png")
        for n in range(20)
    ],
    "dates": [(datetime(2024, 1, 25) + timedelta(days=n)).strftime("%Y-%m-%d.png") for n in range(20)],
    "seconds since 1970": [f"{1700000000 + n}.png" for n in range(12)],
    "composed and decomposed letters": [("e\u0301", "\u00e9")[n % 2] + f"_{n}.png" for n in range(12)],
}  # fmt: skip


@pytest.mark.parametrize("kind", SERIES)
def test_frames_come_in_the_order_of_their_number(kind: str) -> None:
    assert ordered(SERIES[kind]) == SERIES[kind]


@settings(max_examples=100)
@given(
    st.sets(st.decimals(-999, 999, places=2), min_size=2, max_size=12),
    st.sampled_from(["a_{}", "t={}", "{}", "a {}.b"]),
)
def test_signed_decimals_come_in_the_order_of_their_values(values: set, pattern: str) -> None:
    names = [pattern.format(value) + ".png" for value in sorted(values)]
    assert ordered(names) == names


AMBIGUOUS = {
    "two series": (["left_3.png", "left_4.png", "right_3.png", "right_4.png"], "left_3.png and right_3.png"),
    "a copy among them": (["frame_3.png", "frame_3 (1).png", "frame_4.png"], "frame_3 (1).png"),
    "masks between frames": (["f_1.png", "f_1_mask.png", "f_2.png", "f_2_mask.png"], "f_1.png and f_1_mask.png"),
    "the same frame twice": (["f_1.jpg", "f_1.png", "f_2.jpg", "f_2.png"], "f_1.jpg and f_1.png have the same number"),
    "the same number twice": (["f_1.png", "f_01.png"], "f_01.png and f_1.png have the same number"),
    "the same value twice": (["t1.1.png", "t1.10.png"], "t1.1.png and t1.10.png have the same number"),
    "one more without a number": (["frame.png", "frame_1.png"], "frame.png and frame_1.png"),
    "no numbers": (["first.png", "second.png"], "first.png and second.png"),
    "several objects": ([f"obj{a}__{b}.png" for a in (1, 2) for b in range(3)], "obj1__2.png and obj2__0.png"),
    "a grid": ([f"{a}_{b}.png" for a in (1, 2) for b in (1, 2)], "1_2.png and 2_1.png"),
}  # fmt: skip


@pytest.mark.parametrize("kind", AMBIGUOUS)
def test_names_that_could_be_two_orders_are_refused_with_the_first_two(kind: str) -> None:
    names, told = AMBIGUOUS[kind]
    with pytest.raises(UserError, match="order is not clear; give each series a folder of its own") as caught:
        in_order([Path("clip", name) for name in names])
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["f_1.png", "f_2.png", "f_3.png"], ""),
        (["f_0.png", "f_5.png", "f_10.png"], ""),
        (["f_1.png", "f_2.png", "f_5.png", "f_6.png"], "f_2.png is followed by f_5.png"),
        (["f_1.png", "f_3.png", "f_4.png", "f_5.png", "f_8.png"], "f_1.png is followed by f_3.png, and 1 more gaps"),
        (["2024-02-28.png", "2024-02-29.png", "2024-03-01.png"], ""),
        (["t=0.1.png", "t=0.2.png", "t=0.3.png", "t=0.9.png"], "t=0.3.png is followed by t=0.9.png"),
    ],
)
def test_a_gap_in_the_numbers_is_named(names: list[str], told: str) -> None:
    assert gap([Path("clip", name) for name in names]) == told


def test_clips_come_in_natural_order_whatever_their_case() -> None:
    names = ["a.mp4", "Clip2.mp4", "clip10.mp4", "clip10/x", "day3.2.avi", "é1"]
    assert sorted([names[i] for i in (5, 2, 0, 4, 3, 1)], key=natural) == names

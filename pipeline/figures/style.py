"""How every figure looks and is written: colours that colour-blind readers can tell apart, the same bytes each time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's palette.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_FIXED = {"tangent_flow": "#0072B2", "tangent_space": "#D55E00", "linear": "#CC79A7", "vae": "#E69F00"}


def colour(method: str, methods: tuple[str, ...]) -> str:
    """One colour per method, the same in every figure."""
    others = cycle(c for c in _COLOURS if c not in _FIXED.values())
    rest = {name: next(others) for name in methods if name not in _FIXED}
    return _FIXED.get(method) or rest[method]


def readable(name: str) -> str:
    """A name from params.yaml as figures print it."""
    return name.replace("_", " ")


@contextmanager
def style() -> Iterator[None]:
    """Settings for the figures drawn inside the block."""
    with mpl.rc_context(
        {"font.size": 8, "axes.spines.top": False, "axes.spines.right": False, "svg.hashsalt": "manex"}
    ):
        yield


METADATA = {"png": {"Software": None}, "svg": {"Date": None, "Creator": None}}
"""Nothing that differs between runs or versions of matplotlib."""


def figure(width: float, height: float) -> Figure:
    """An empty figure, in inches, not tied to any window system."""
    return Figure(figsize=(width, height), layout="constrained")


def panels(drawn: Figure, count: int, columns: int, shared: bool = False) -> list[Axes]:
    """`count` panels, row by row."""
    grid = drawn.subplots(-(-count // columns), columns, sharex=shared, sharey=shared, squeeze=False)
    every = list(grid.flat)
    for idle in every[count:]:
        idle.set_axis_off()
    return every[:count]

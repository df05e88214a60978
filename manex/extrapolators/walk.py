"""From settings to frames: the one entry point of all extrapolators."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from torch import nn

from manex.arrays import Frames
from manex.extrapolators.base import Walk, WalkState
from manex.noises.draws import ItemNoise


def walk(cfg: Walk, model: nn.Module | None, first: Frames, second: Frames, noise: ItemNoise) -> Iterator[WalkState]:
    """The frames that follow two given ones, endlessly, for every item of the batch at once.

    The algorithm is the function that has the name of the settings' module.

    Args:
        model: of the type `cfg.takes`.
        first, second: clean frames in [0, 1].
        noise: one stream per item.

    Raises:
        TypeError: the model is of another type.
        WalkError: frames that cannot start a walk, or a walk that produced NaN or infinity.

    Example:
        >>> from itertools import islice
        >>> from manex import ItemNoise, Persistence
        >>> from manex.extrapolators.walk import walk
        >>> first, second = torch.zeros(1, 1, 8, 8), torch.ones(1, 1, 8, 8)
        >>> states = walk(Persistence(), None, first, second, ItemNoise([(0,)]))
        >>> [float(state.frame.mean()) for state in islice(states, 2)]
        [1.0, 1.0]
    """
    name = type(cfg).__module__
    if not isinstance(model, cfg.takes):
        raise TypeError(
            f"{name.rpartition('.')[2]} takes a model of type {cfg.takes.__name__}, not {type(model).__name__}"
        )
    algorithm: Any = getattr(import_module(name), name.rpartition(".")[2])
    yield from algorithm(model, first, second, cfg, noise)

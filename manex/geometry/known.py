"""What is known of functions whose Jacobian was asked for before, and which functions need no check."""

from __future__ import annotations

import math
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import _has_any_global_hook
from torch.utils.weak import WeakIdKeyDictionary

from manex.arrays import FrameMap


@dataclass
class Known:
    """What was found out about a function, at about one noise level.

    Attributes:
        verdicts: for each backend checked so far what is wrong with it, None if nothing is.
        looks: how often its Jacobian was asked for.
        apart: whether it was seen to keep the items of a batch apart.
    """

    verdicts: dict[str, str | None] = field(default_factory=dict)
    looks: int = 0
    apart: bool = False

    @property
    def is_new(self) -> bool:
        """Whether nothing is known yet."""
        return not self.verdicts

    @property
    def is_due(self) -> bool:
        """Whether it is time to check again, now and then at other points: at the 2nd, 4th, 8th, ... look."""
        return self.looks & (self.looks - 1) == 0


_known: MutableMapping[Any, dict[int | None, Known]] = WeakIdKeyDictionary()
"""By function object: two that compare equal may compute different things."""


def known_of(function: FrameMap) -> Known | None:
    """What is known of a function; None if it needs no check, as the tests check all that it is made of."""
    owner = function.func if isinstance(function, partial) and isinstance(function.func, nn.Module) else function
    altered = _has_any_global_hook() or any(map(torch.is_autocast_enabled, ("cpu", "cuda")))
    if isinstance(owner, nn.Module) and not altered and all(map(_is_ours, owner.modules())):
        return None
    try:
        return _known.setdefault(owner, {}).setdefault(_level(function), Known())
    except TypeError:  # cannot be referred to weakly: checked every time
        return Known()


def _is_ours(part: nn.Module) -> bool:
    """Whether a module is of this library or of torch, and does what its class says."""
    if not type(part).__module__.startswith(("manex.", "torch.nn.modules.")):
        return False
    hooks = (part._forward_hooks, part._forward_pre_hooks, part._backward_hooks, part._backward_pre_hooks)
    return "forward" not in vars(part) and not any(hooks)


def _level(function: FrameMap) -> int | None:
    """The noise level that a denoiser is bound at, to a factor of sqrt(2): it may compute otherwise at others."""
    sigma = function.keywords.get("sigma") if isinstance(function, partial) else None
    if isinstance(sigma, Tensor) and sigma.numel():
        sigma = float(sigma.flatten()[0])
    return round(2 * math.log2(sigma)) if isinstance(sigma, int | float) and 0 < sigma < math.inf else None

"""Which backend multiplies by the Jacobian of a function: the first that applies and is right."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Any, Literal
from weakref import WeakKeyDictionary

import torch
from torch import nn

from manex.arrays import FrameMap, Frames
from manex.errors import GeometryError, GeometryWarning
from manex.geometry.backends import BACKENDS
from manex.geometry.check import COARSE, complaint
from manex.geometry.linear_rules import Unlinearizable
from manex.geometry.linearize import Linearization
from manex.geometry.probe import at_points, checked, graph_bytes

BackendName = Literal["auto", "closed_form", "linearized", "vjp", "jvp", "finite_difference"]

Choice = tuple[BackendName, int, Linearization | None]
"""The backend, the bytes that one product of one vector keeps alive, and the recording of one or two points."""

_EXACT = ("linearized", "vjp", "jvp")
_verdicts: WeakKeyDictionary[Any, dict[str, str | None]] = WeakKeyDictionary()
"""For each function checked so far: what is wrong with each backend, None if nothing is."""


class _Unfit(ValueError):  # noqa: N818 - a signal, not a user's mistake
    """A backend does not apply, or is wrong."""


def choose(function: FrameMap, points: Frames, wanted: BackendName) -> Choice:
    """The backend to use.

    Raises:
        GeometryError: none is fit, or the function is not.
    """
    one, point = at_points(function, slice(0, 1)), points[:1]
    verdicts = _verdicts_of(function)
    if verdicts == {}:
        with torch.no_grad():
            checked(one(point), point)
    reason = ""
    names = _candidates(function, wanted)
    for name in names:
        try:
            if verdicts and verdicts.get(name):
                raise _Unfit(verdicts[name])
            choice = _weighed(name, function, points)
            if verdicts is not None and name not in verdicts:
                found = complaint(BACKENDS[name], one, point)
                verdicts[name] = found and f"{name} is wrong: {found}"
                if found:
                    raise _Unfit(verdicts[name])
        except Unlinearizable as unknown:
            reason = f"not linearizable: {unknown}"
        except _Unfit as unfit:
            reason = str(unfit)
        except (GeometryError, MemoryError, torch.OutOfMemoryError):
            raise
        except Exception as error:
            if verdicts is None or name not in _EXACT or "allocate" in str(error):
                raise
            with torch.no_grad():
                one(point)  # raises what is the function's own fault
            reason = f"{name} fails ({type(error).__name__}: {' '.join(str(error).split())[:160]})"
            verdicts[name] = reason
        else:
            if name == "finite_difference" and len(names) > 1:
                told = f"{reason}: finite differences instead, inexactly, without J^T v"
                warnings.warn(told, GeometryWarning, stacklevel=3)
            return choice
    raise GeometryError(f"{reason}; {_ADVICE[names[-1]]}")


_ADVICE = {
    "closed_form": 'correct its jacobian_product, or take backend="linearized"',
    "linearized": 'take backend="vjp" or "auto"',
    "vjp": 'take backend="finite_difference"',
    "jvp": 'take backend="finite_difference"',
    "finite_difference": COARSE,
}


def _candidates(function: FrameMap, wanted: BackendName) -> tuple[BackendName, ...]:
    closed = isinstance(function, partial) and hasattr(function.func, "jacobian_product")
    if wanted == "closed_form" and not closed:
        raise GeometryError("no closed form: only a Denoiser with `jacobian_product`, bound by `.at(sigma)`, has one")
    if wanted != "auto":
        return (wanted,)
    if closed:
        return ("closed_form",)
    if isinstance(function, partial) and not getattr(function.func, "differentiable", True):
        return ("finite_difference",)
    return "linearized", "vjp", "finite_difference"


def _weighed(name: BackendName, function: FrameMap, points: Frames) -> Choice:
    frame = points[0].numel() * points.element_size()
    if name == "closed_form":
        return name, 4 * frame, None
    if name == "finite_difference":
        return name, 256 * frame, None  # a guess: nothing is known about a black box
    if name == "linearized":
        first = points[:2]  # two, if there are: with one, an operation across the batch may look like none
        probe = Linearization(at_points(function, slice(0, 2)), first)
        return name, max(frame, probe.nbytes // len(first)), probe
    footprint = graph_bytes(at_points(function, slice(0, 1)), points[:1])
    if footprint is None:
        raise _Unfit("the denoiser is not differentiable")
    return name, max(frame, footprint), None


def _verdicts_of(function: FrameMap) -> dict[str, str | None] | None:
    """What is known of a function's backends; None if it needs no check, as the tests check all that it is made of."""
    owner = function.func if isinstance(function, partial) and isinstance(function.func, nn.Module) else function
    if isinstance(owner, nn.Module) and not torch.is_autocast_enabled("cpu") and not torch.is_autocast_enabled("cuda"):
        homes = {type(part).__module__ for part in owner.modules()}
        if all(home.startswith(("manex.", "torch.nn.modules.")) for home in homes):
            return None
    try:
        return _verdicts.setdefault(owner, {})
    except TypeError:  # cannot be hashed or referred to weakly: checked every time
        return {}

"""Which backend multiplies by the Jacobian of a function: the first that applies and is right."""

from __future__ import annotations

import warnings
from functools import partial
from typing import Literal

import torch

from manex.arrays import FrameMap, Frames
from manex.errors import GeometryError, GeometryWarning
from manex.geometry.backends import BACKENDS
from manex.geometry.check import COARSE, complaint
from manex.geometry.known import Known, known_of
from manex.geometry.linear_rules import Unlinearizable
from manex.geometry.linearize import Linearization
from manex.geometry.probe import at_points, called, check_items, graph_bytes

BackendName = Literal["auto", "closed_form", "linearized", "vjp", "jvp", "finite_difference"]

Choice = tuple[BackendName, int, Linearization | None]
"""The backend, the bytes that one product of one vector keeps alive, and the recording of one or two points."""

_EXACT = ("linearized", "vjp", "jvp")


class _Unfit(ValueError):  # noqa: N818 - a signal, not a user's mistake
    """A backend does not apply, or is wrong."""


def choose(function: FrameMap, points: Frames, wanted: BackendName) -> Choice:
    """The backend to use.

    Raises:
        GeometryError: none is fit, or the function is not.
    """
    one, point = at_points(function, slice(0, 1)), points[:1]
    known = known_of(function)
    if known is not None:
        _look(known, function, points)
    reason = ""
    names = _candidates(function, wanted)
    for name in names:
        try:
            if known and (told := known.verdicts.get(name)):
                raise _Unfit(told)
            choice = _weighed(name, function, points)
            if known and (name not in known.verdicts or known.is_due):
                _check(known, name, one, point)
        except Unlinearizable as unknown:
            reason = f"not linearizable: {unknown}"
        except _Unfit as unfit:
            reason = str(unfit)
        except (GeometryError, MemoryError, torch.OutOfMemoryError):
            raise
        except Exception as error:
            if known is None or name not in _EXACT or "allocate" in str(error):
                raise
            with torch.no_grad():
                one(point)  # raises what is the function's own fault
            reason = f"{name} fails ({type(error).__name__}: {' '.join(str(error).split())[:160]})"
            known.verdicts[name] = reason
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


def _look(known: Known, function: FrameMap, points: Frames) -> None:
    """Check the function itself, as far as that has not been done."""
    known.looks += 1
    if known.is_new:
        called(at_points(function, slice(0, 1)), points[:1])
    if not known.apart and len(points) > 1:
        check_items(function, points)
        known.apart = True


def _check(known: Known, name: BackendName, one: FrameMap, point: Frames) -> None:
    """Check a backend, the first time and now and then at other points: a function may compute otherwise there.

    Raises:
        _Unfit: it is wrong.
        GeometryError: it cannot be told, the first time.
    """
    again = name in known.verdicts
    try:
        with warnings.catch_warnings():
            if again:  # what is inexact was told the first time
                warnings.simplefilter("ignore", GeometryWarning)
            found = complaint(BACKENDS[name], one, point)
    except GeometryError:
        if again:  # no slope can be measured at this point
            return
        raise
    known.verdicts[name] = found and f"{name} is wrong: {found}"
    if found:
        raise _Unfit(known.verdicts[name])

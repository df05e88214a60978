"""Checks of a function before its Jacobian is taken: whether it is fit, and how much reverse mode would keep."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import torch
from torch import Tensor, nn

from manex.arrays import FrameMap, Frames
from manex.errors import GeometryError
from manex.noises.base import Noise
from manex.noises.white import White


def graph_bytes(function: FrameMap, point: Frames) -> int | None:
    """Bytes that reverse mode keeps for one point; None if the output does not depend differentiably on it."""
    held = 0

    def weigh(tensor: Tensor) -> Tensor:
        nonlocal held
        held += tensor.element_size() * tensor.nelement()
        return tensor

    point = point.detach().requires_grad_()
    with torch.enable_grad(), torch.autograd.graph.saved_tensors_hooks(weigh, lambda t: t):
        try:
            value = function(point.clone())  # one that works in place is told of later
        except RuntimeError as error:
            if "requires grad" in str(error):  # it called numpy: a black box
                return None
            raise
        if not value.requires_grad:
            return None
        (gradient,) = torch.autograd.grad(value.sum(), point, allow_unused=True)
    return held if gradient is not None else None


def called(function: FrameMap, points: Frames) -> Frames:
    """The value of a function at the points, if a Jacobian can be taken of it.

    Raises:
        GeometryError: the value is not fit (`checked`), or the function works in place on the points.
    """
    given = points.clone()
    with torch.no_grad():
        value: object = function(points)
    check_unchanged(points, given)
    return checked(value, points)


def check_unchanged(points: Frames, given: Frames) -> None:
    """Check that a function left alone what it was given; put that back if not.

    Raises:
        GeometryError: it works in place on the points.
    """
    if not torch.allclose(points, given, rtol=0, atol=0, equal_nan=True):
        points.copy_(given)
        raise GeometryError(
            "the denoiser changes the frames that it is given, by an operation in place such as mul_ or "
            "ReLU(inplace=True): let it begin with frames.clone()"
        )


def checked(value: object, points: Frames) -> Frames:
    """The value of a function at the points, if a Jacobian can be taken of it; in memory of its own.

    Raises:
        GeometryError: it is no tensor, has another shape or dtype than the points, or is not finite.
    """
    if not isinstance(value, Tensor) or value.shape != points.shape:
        found = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise GeometryError(
            f"the denoiser turns frames of shape {tuple(points.shape)} into {found}; "
            "a Jacobian with eigenvectors needs the shape kept"
        )
    if value.dtype != points.dtype:
        raise GeometryError(
            f"the denoiser turns frames of {points.dtype} into {value.dtype}; a Jacobian needs the dtype kept "
            "(without autocast; a complex result needs .real)"
        )
    if not value.isfinite().all():
        raise GeometryError("the denoiser returns NaN or infinity at the given points: check them and the weights")
    return value.clone()  # it may be a buffer that the next call overwrites


def check_items(function: FrameMap, points: Frames) -> None:
    """Check that a function treats each item of a batch on its own: the first two alone as together.

    Raises:
        GeometryError: it does not.
    """
    together = called(at_points(function, slice(0, 2)), points[:2])
    alone = torch.cat([called(at_points(function, slice(i, i + 1)), points[i : i + 1]) for i in (0, 1)])
    if differ(together, alone):
        raise GeometryError(
            "the denoiser mixes the items of a batch: an item gives another result alone than with a second one"
        )


def differ(a: Tensor, b: Tensor) -> bool:
    """Whether two results differ by more than a change of summation order can explain."""
    return bool((a - b).abs().max() > 1e-3 * (1 + a.abs().max()))


def law_of(function: FrameMap) -> Noise:
    """The law of the noise that a denoiser bound by `.at(sigma)` removes; white for other functions."""
    found = getattr(function.func, "noise", None) if isinstance(function, partial) else None
    return found if isinstance(found, Noise) else White()


def at_points(function: FrameMap, points: slice) -> FrameMap:
    """The function for some of its points: a denoiser bound at one noise level per image keeps theirs."""
    return _with_levels(function, lambda sigma: sigma[points])


def repeated(function: FrameMap, count: int) -> FrameMap:
    """The function for all of its points `count` times, one round of points after the other."""
    return _with_levels(function, lambda sigma: sigma.repeat(count, 1, 1, 1))


def _with_levels(function: FrameMap, change: Callable[[Tensor], Tensor]) -> FrameMap:
    sigma = function.keywords.get("sigma") if isinstance(function, partial) else None
    if not isinstance(function, partial) or not isinstance(sigma, Tensor) or sigma.ndim == 0:
        return function
    return partial(function.func, *function.args, **{**function.keywords, "sigma": change(sigma)})


def refuse_training_mode(function: FrameMap) -> None:
    """Raise GeometryError if a network inside the function is in training mode."""
    for module in _modules(function):
        if any(getattr(part, "training", False) for part in module.modules()):  # frozen ones have none
            raise GeometryError(
                f"{type(module).__name__} is in training mode: dropout and batch statistics would change "
                "from product to product; call .eval() first"
            )


def _modules(function: object) -> Iterator[nn.Module]:
    """The networks inside a function: itself, behind `partial`, a bound method, or a closure."""
    if isinstance(function, nn.Module):
        yield function
    elif isinstance(function, partial):
        yield from _modules(function.func)
    else:
        cells = getattr(function, "__closure__", None) or ()
        held = [getattr(function, "__self__", None), *(cell.cell_contents for cell in cells)]
        yield from (value for value in held if isinstance(value, nn.Module))

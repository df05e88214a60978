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
            value = function(point)
        except RuntimeError as error:
            if "requires grad" in str(error):  # it called numpy: a black box
                return None
            raise
        if not value.requires_grad:
            return None
        (gradient,) = torch.autograd.grad(value.sum(), point, allow_unused=True)
    return held if gradient is not None else None


def checked(value: Tensor, points: Frames) -> Frames:
    """The value of a function at the points, if a Jacobian can be taken of it.

    Raises:
        GeometryError: it has another shape or dtype than the points, or is not finite.
    """
    if value.shape != points.shape:
        raise GeometryError(
            f"the denoiser turns frames of shape {tuple(points.shape)} into {tuple(value.shape)}; "
            "a Jacobian with eigenvectors needs the shape kept"
        )
    if value.dtype != points.dtype:
        raise GeometryError(
            f"the denoiser turns frames of {points.dtype} into {value.dtype}; a Jacobian needs the dtype kept "
            "(without autocast; a complex result needs .real)"
        )
    if not value.isfinite().all():
        raise GeometryError("the denoiser returns NaN or infinity at the given points: check them and the weights")
    return value


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

"""The linear part of each tensor operation that `linearize.py` can replay: (J v, J^T v) with coefficients filled in.

Tangents are batches of `vectors * points` items with the vector index running slowest, so that a coefficient of
shape (points, ...) broadcasts over the vectors. A rule returns two functions: `push` takes one tangent for each input
that depends on the point, `pull` takes the tangent of the output and gives one for each such input.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

aten = torch.ops.aten

Push = Callable[..., Tensor]
Pull = Callable[[Tensor], tuple[Tensor, ...]]


class Unlinearizable(ValueError):  # noqa: N818 - a signal to the caller, not a user's mistake
    """An operation has no linear rule, or mixes the items of a batch."""


@dataclass(frozen=True)
class Call:
    """One operation of the network: what went in, what came out, which of the inputs depend on the point."""

    op: Any
    args: tuple[Any, ...]
    options: dict[str, Any]
    out: Tensor
    depends: tuple[int, ...]
    """Positions in `args` (or, for `cat`, in its list) of the tensors that depend on the point."""


Rule = Callable[[Call], tuple[Push, Pull]]
RULES: dict[Any, Rule] = {}


def rule_of(call: Call) -> tuple[Push, Pull]:
    """J and J^T of one operation.

    Raises:
        Unlinearizable: it mixes the items of the batch, or its rule does not cover these arguments.
    """
    batch = {x.shape[0] if x.ndim else None for x in (*_tracked(call), call.out)}
    if len(batch) != 1:
        raise Unlinearizable(f"{call.op} does not keep the batch in front")
    return RULES[call.op.overloadpacket](call)


def register(*ops: Any) -> Callable[[Rule], Rule]:
    """Make a function the rule of some operations."""

    def remember(rule: Rule) -> Rule:
        RULES.update(dict.fromkeys(ops, rule))
        return rule

    return remember


def _tracked(call: Call) -> list[Tensor]:
    inputs = call.args[0] if call.op is aten.cat.default else call.args
    return [inputs[i] for i in call.depends]


def _scaled(coefficient: Tensor) -> Callable[[Tensor], Tensor]:
    """Multiply every vector's tangent by a coefficient that depends only on the points."""
    return lambda t: (t.reshape(-1, len(coefficient), *t.shape[1:]) * coefficient).flatten(0, 1)


def _summed(like: Tensor) -> Callable[[Tensor], Tensor]:
    """The transpose of broadcasting `like` over its axes of length one (the batch axis excepted)."""

    def collapse(t: Tensor) -> Tensor:
        axes = [i for i in range(1, like.ndim) if like.shape[i] == 1 and t.shape[i] > 1]
        return t.sum(axes, keepdim=True) if axes else t

    return collapse


def _grown(out: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda t: t.expand(len(t), *out.shape[1:])


_ELEMENTWISE = [
    *(aten.relu, aten.silu, aten.gelu, aten.elu, aten.leaky_relu, aten.softplus, aten.hardtanh, aten.sigmoid),
    *(aten.exp, aten.log, aten.sqrt, aten.rsqrt, aten.sin, aten.cos, aten.tanh, aten.neg, aten.abs),
    *(aten.reciprocal, aten.clamp, aten.pow),
]


@register(*_ELEMENTWISE)
def _elementwise(call: Call) -> tuple[Push, Pull]:
    if call.depends != (0,) or any(isinstance(a, Tensor) for a in call.args[1:]):
        raise Unlinearizable(f"{call.op} with a tensor for parameter")
    x = call.args[0].detach().requires_grad_()
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(call.op(x, *call.args[1:], **call.options).sum(), x)
    scale = _scaled(slope)
    return scale, lambda g: (scale(g),)


@register(aten.add, aten.sub)
def _sum(call: Call) -> tuple[Push, Pull]:
    x = _tracked(call)
    sign = -1 if call.op.overloadpacket is aten.sub else 1
    weights = [1 if i == 0 else sign * call.options["alpha"] for i in call.depends]
    if any(t.ndim != call.out.ndim for t in x):
        raise Unlinearizable("a sum that adds axes")
    grow, collapse = _grown(call.out), [_summed(t) for t in x]
    if len(x) == 1:
        return lambda t: grow(weights[0] * t), lambda g: (collapse[0](weights[0] * g),)
    return (
        lambda a, b: torch.add(a, b, alpha=weights[1]),
        lambda g: tuple(c(g if w == 1 else w * g) for w, c in zip(weights, collapse, strict=True)),
    )


@register(aten.mul, aten.div)
def _product(call: Call) -> tuple[Push, Pull]:
    a, b = call.args[:2]
    if any(t.ndim != call.out.ndim for t in _tracked(call)) or call.options:
        raise Unlinearizable("a product that adds axes")
    slopes = (1 / b, -a / b**2) if call.op.overloadpacket is aten.div else (b, a)
    scales = [_scaled(_batched(slopes[i], call.out)) for i in call.depends]
    collapse = [_summed(t) for t in _tracked(call)]
    return (
        lambda *t: sum(s(v) for s, v in zip(scales[1:], t[1:], strict=True)) + scales[0](t[0]),
        lambda g: tuple(c(s(g)) for s, c in zip(scales, collapse, strict=True)),
    )


def _batched(coefficient: Any, out: Tensor) -> Tensor:
    """A coefficient (number or tensor) with a batch axis in front, of length one or `batch`."""
    t = torch.as_tensor(coefficient, dtype=out.dtype, device=out.device).detach()
    t = t.reshape((1,) * (out.ndim - t.ndim) + tuple(t.shape))
    return t.expand(len(out), *t.shape[1:])


@register(aten.convolution)
def _convolution(call: Call) -> tuple[Push, Pull]:
    if call.depends != (0,):
        raise Unlinearizable("a convolution whose kernel depends on the point")
    x, weight, _, stride, padding, dilation, transposed, output_padding, groups = call.args
    rest = (stride, padding, dilation, transposed, output_padding, groups)
    weight = weight.detach()
    if transposed:
        back = (stride, padding, dilation, False, [0] * len(stride), groups)
    else:
        reach = [
            (n - 1) * s - 2 * p + d * (k - 1) + 1
            for n, s, p, d, k in zip(call.out.shape[2:], stride, padding, dilation, weight.shape[2:], strict=True)
        ]
        lost = [n - r for n, r in zip(x.shape[2:], reach, strict=True)]
        back = (stride, padding, dilation, True, lost, groups)
    return (
        lambda t: aten.convolution(t, weight, None, *rest),
        lambda g: (aten.convolution(g, weight, None, *back),),
    )


@register(aten.addmm, aten.mm)
def _matrix(call: Call) -> tuple[Push, Pull]:
    position = 1 if call.op.overloadpacket is aten.addmm else 0
    if call.depends != (position,) or any(factor != 1 for factor in call.options.values()):
        raise Unlinearizable("a matrix product in which more than the left factor depends on the point")
    weight = call.args[position + 1].detach()
    return lambda t: t @ weight, lambda g: (g @ weight.T,)


@register(aten.native_group_norm)
def _group_norm(call: Call) -> tuple[Push, Pull]:
    x, weight, _, _, _, _, groups, eps = call.args
    scale = None if weight is None else weight.detach().reshape(1, -1, *[1] * (x.ndim - 2)).expand_as(x)
    return _normalisation(x.detach(), groups, scale, eps)


@register(aten.native_layer_norm)
def _layer_norm(call: Call) -> tuple[Push, Pull]:
    x, shape, weight, _, eps = call.args
    groups = x[0].numel() // int(torch.Size(shape).numel())
    return _normalisation(x.detach(), groups, None if weight is None else weight.detach().expand_as(x), eps)


def _normalisation(x: Tensor, groups: int, weight: Tensor | None, eps: float) -> tuple[Push, Pull]:
    """d[(x - mean) / std] = (I - Q Q^T) dx / std with Q = [1, (x - mean) / std] / sqrt(m): symmetric."""
    g = x.reshape(len(x) * groups, -1)
    variance, mean = torch.var_mean(g, dim=1, correction=0, keepdim=True)
    deviation = (variance + eps).sqrt()
    basis = (
        torch.stack([torch.ones_like(g), (g - mean) / deviation], dim=2) / g.shape[1] ** 0.5
    )  # (points*groups, m, 2)
    scale = (1 / deviation).expand_as(g).reshape(x.shape)
    left, right = _scaled(scale if weight is None else scale * weight), basis.mT

    def project(t: Tensor) -> Tensor:
        rows = t.reshape(-1, *g.shape).transpose(0, 1)  # (points*groups, vectors, m): no copy
        return torch.baddbmm(rows, rows @ basis, right, alpha=-1).transpose(0, 1).reshape(t.shape)

    return lambda t: left(project(t)), lambda t: (project(left(t)),)


@register(aten.native_batch_norm, aten._native_batch_norm_legit_no_training)
def _batch_norm(call: Call) -> tuple[Push, Pull]:
    x, weight, _, _, variance, *rest = call.args
    if len(rest) == 3 and rest[0]:
        raise Unlinearizable("a batch normalisation in training mode")
    slope = (variance + rest[-1]).rsqrt() * (1 if weight is None else weight.detach())
    scale = _scaled(_batched(slope.reshape(-1, *[1] * (x.ndim - 2)), x))
    return scale, lambda g: (scale(g),)


IN_PLACE = {
    getattr(aten, f"{name}_").default: getattr(aten, name).default
    for name in ("relu", "silu", "gelu", "elu", "leaky_relu", "hardtanh", "tanh", "sigmoid")
}

# These take a tensor for its shape only.
CONSTANT = {
    aten.ones_like,
    aten.zeros_like,
    aten.empty_like,
    aten.full_like,
    aten.new_zeros,
    aten.new_ones,
    aten.new_full,
}

"""Linear rules of the operations that move, gather or average values, and are linear already."""

from __future__ import annotations

import torch
from torch import Tensor

from manex.geometry.linear_rules import Call, Pull, Push, Unlinearizable, aten, register


@register(aten.view, aten._unsafe_view, aten.squeeze, aten.unsqueeze, aten.alias, aten.clone)
def _reshape(call: Call) -> tuple[Push, Pull]:
    before, after = call.args[0].shape[1:], call.out.shape[1:]
    return lambda t: t.reshape(len(t), *after), lambda g: (g.reshape(len(g), *before),)


@register(aten.cat)
def _concatenate(call: Call) -> tuple[Push, Pull]:
    parts, axis = call.args
    axis %= call.out.ndim
    if axis == 0:
        raise Unlinearizable("a concatenation of items")
    sizes = [p.shape[axis] for p in parts]

    def push(*tangents: Tensor) -> Tensor:
        given = dict(zip(call.depends, tangents, strict=True))
        n = len(tangents[0])
        return torch.cat([given[i] if i in given else p.new_zeros(n, *p.shape[1:]) for i, p in enumerate(parts)], axis)

    def pull(g: Tensor) -> tuple[Tensor, ...]:
        pieces = torch.split(g, sizes, axis)
        return tuple(pieces[i] for i in call.depends)

    return push, pull


@register(aten.max_pool2d_with_indices)
def _max_pool(call: Call) -> tuple[Push, Pull]:
    x = call.args[0]
    _, index = call.op(*call.args)
    index = index.flatten(2)

    def places(t: Tensor) -> Tensor:
        repeated: Tensor = index.repeat(len(t) // len(index), 1, 1)
        return repeated

    def push(t: Tensor) -> Tensor:
        return t.flatten(2).gather(2, places(t)).reshape(len(t), *call.out.shape[1:])

    def pull(g: Tensor) -> tuple[Tensor, ...]:
        empty = g.new_zeros(len(g), x.shape[1], x[0, 0].numel())
        return (empty.scatter_add(2, places(g), g.flatten(2)).reshape(len(g), *x.shape[1:]),)

    return push, pull


_LINEAR = (
    *(aten.constant_pad_nd, aten.reflection_pad2d, aten.replication_pad2d, aten.avg_pool2d, aten._adaptive_avg_pool2d),
    *(aten.upsample_nearest2d, aten.upsample_bilinear2d, aten.pixel_shuffle, aten.pixel_unshuffle, aten.slice),
    *(aten.permute, aten.transpose, aten.mean, aten.sum, aten.index_select),
)


@register(*_LINEAR)
def _linear(call: Call) -> tuple[Push, Pull]:
    """Operations that are linear already, and whose arguments do not mention the size of the batch."""
    name, (x, *rest) = call.op.overloadpacket, call.args
    if name is aten.constant_pad_nd:
        rest[1:] = [0]  # only the derivative: the constant goes
    named = {aten.slice: 1, aten.index_select: 1, aten.transpose: 2}.get(name, 0)  # axes before other arguments
    axes = rest[0] if name in (aten.mean, aten.sum) else rest[:named]
    moved = name is aten.permute and rest[0][0] % x.ndim != 0
    if moved or axes is None or any(axis % x.ndim == 0 for axis in axes):
        raise Unlinearizable(f"{call.op} along the batch")

    def push(t: Tensor) -> Tensor:
        result: Tensor = call.op(t, *rest, **call.options)
        return result

    def pull(g: Tensor) -> tuple[Tensor, ...]:
        seat = g.new_zeros(()).expand(len(g), *x.shape[1:])
        transpose = torch.func.vjp(push, seat)[1]
        result: tuple[Tensor, ...] = transpose(g)
        return result

    return push, pull

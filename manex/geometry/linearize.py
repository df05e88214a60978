"""The linear part of a network at a point, recorded once and replayed for every vector.

`torch.func.jvp` and `vjp` run the network again for each product. Here it runs once, below autograd; every
tensor operation leaves a linear rule with its coefficients filled in (a ReLU leaves a mask, a GroupNorm a
projection and a scale). A product J v is then the network without its non-linearities, J^T v the same list
read backwards. `torch.func.linearize` does this too, but takes seconds to trace.

Operations are taken from the closed list in `linear_rules.py`. Anything else raises `Unlinearizable`, and the caller
falls back on autograd: speed never costs a wrong product.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakIdKeyDictionary

import manex.geometry.shape_rules  # noqa: F401 - fills RULES
from manex.arrays import FrameMap, Frames
from manex.geometry.linear_rules import CONSTANT, IN_PLACE, RULES, Call, Pull, Push, Unlinearizable, rule_of

aten = torch.ops.aten


@dataclass(frozen=True)
class Step:
    """A linear rule: tangents in slots `sources` give the tangent in slot `target`, and back."""

    sources: tuple[int, ...]
    target: int
    push: Push
    pull: Pull


class Linearization:
    """J and J^T of `function` at `points`, by replay.

    Tangents are batches of `vectors * points` frames, the vector index running slowest. Coefficients depend only on
    the points, so they broadcast over the vectors.

    Attributes:
        value: D(points).
        nbytes: memory of the activations the recording held; its coefficients take about as much.

    Raises:
        Unlinearizable: an operation is not in the list, or the output is not connected to the input.
    """

    def __init__(self, function: FrameMap, points: Frames) -> None:
        recorder = _Recorder(points)
        with torch.no_grad(), recorder:
            self.value = function(points)
        if self.value not in recorder.slots:
            raise Unlinearizable("the output does not depend on the input through recorded operations")
        stores = [call.out.untyped_storage() for call, _, _ in recorder.calls]
        self.nbytes = sum({s.data_ptr(): s.nbytes() for s in stores}.values())  # views share theirs
        last = recorder.slots[self.value]
        with torch.no_grad():
            self._steps = [Step(s, t, *rule_of(call)) for call, s, t in _needed(recorder.calls, last)]
        self._last = last

    def push(self, tangents: Tensor) -> Tensor:
        """J v for tangents of shape (vectors * points, channel, height, width)."""
        held = {0: tangents}
        remaining = Counter(source for step in self._steps for source in step.sources)
        with torch.no_grad():
            for step in self._steps:
                held[step.target] = step.push(*(held[s] for s in step.sources))
                for source in step.sources:  # a tangent is freed as soon as no rule needs it
                    remaining[source] -= 1
                    if not remaining[source]:
                        held.pop(source, None)
        return held[self._last]

    def pull(self, cotangents: Tensor) -> Tensor:
        """J^T v for cotangents of shape (vectors * points, channel, height, width)."""
        held = {self._last: cotangents}
        with torch.no_grad():
            for step in reversed(self._steps):
                gradients = step.pull(held.pop(step.target))
                for source, gradient in zip(step.sources, gradients, strict=True):
                    held[source] = held[source] + gradient if source in held else gradient
        return held[0]


class _Recorder(TorchDispatchMode):
    """Records the operations that depend on the point, in order."""

    def __init__(self, points: Tensor) -> None:
        super().__init__()
        self.slots = WeakIdKeyDictionary()
        self.slots[points] = 0
        self.calls: list[tuple[Call, tuple[int, ...], int]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        inputs = args[0] if func is aten.cat.default else args
        depends = tuple(i for i, a in enumerate(inputs) if self._depends(a))
        everywhere = sum(self._depends(a) for a in tree_leaves((args, kwargs)))  # in lists and by keyword as well
        if not everywhere or func.overloadpacket in CONSTANT:
            return func(*args, **kwargs)
        if everywhere != len(depends):
            raise Unlinearizable(f"{func} takes tensors in a list or by keyword")
        if func in IN_PLACE and self._unshared(args[0]):
            old = args[0].clone()  # the rule needs the value that is about to be overwritten
            self.slots[old] = self.slots[args[0]]
            out = IN_PLACE[func](old, *args[1:], **kwargs)
            self._record(IN_PLACE[func], (old, *args[1:]), kwargs, (old, *args[1:]), depends, out)
            self.slots[args[0]] = self.slots[out]
            return args[0].copy_(out)
        if func._schema.is_mutable:
            raise Unlinearizable(f"{func} changes its input")
        out = func(*args, **kwargs)
        self._record(func, args, kwargs, inputs, depends, out[0] if isinstance(out, tuple) else out)
        return out

    def _depends(self, argument: Any) -> bool:
        return isinstance(argument, Tensor) and argument in self.slots

    def _record(self, func: Any, args: Any, kwargs: Any, inputs: Any, depends: tuple[int, ...], out: Tensor) -> None:
        sources = tuple(self.slots[inputs[i]] for i in depends)
        if func.overloadpacket not in RULES:
            raise Unlinearizable(f"no linear rule for {func}")
        target = len(self.calls) + 1
        named = dict(zip((a.name for a in func._schema.arguments), args, strict=False)) | kwargs
        given = [(a.kwarg_only, a.name, named.get(a.name, a.default_value)) for a in func._schema.arguments]
        positional = tuple(value for only, _, value in given if not only)
        options = {name: value for only, name, value in given if only}
        self.calls.append((Call(func, positional, options, out, depends), sources, target))
        self.slots[out] = target

    def _unshared(self, tensor: Tensor) -> bool:
        """Whether nothing recorded so far would change, unseen, together with this tensor: no view of it, no reader."""
        memory = tensor.untyped_storage().data_ptr()
        viewed = any(t is not tensor and t.untyped_storage().data_ptr() == memory for t in self.slots)
        return not viewed and not any(argument is tensor for call, _, _ in self.calls for argument in call.args)


_Recorded = tuple[Call, tuple[int, ...], int]


def _needed(calls: list[_Recorded], last: int) -> list[_Recorded]:
    """The calls the output depends on, in order."""
    wanted, kept = {last}, []
    for call, sources, target in reversed(calls):
        if target in wanted:
            wanted.update(sources)
            kept.append((call, sources, target))
    return kept[::-1]

"""Weights of plug-in denoisers: read from files without running what is in them, and put into modules."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from pipeline.errors import UserError, suggestion
from pipeline.storage.artifacts import sha256 as hash_of

PICKLED = (".pth", ".pt", ".ckpt", ".bin", ".tar")
"""Files of torch.save: only tensors are taken out of them, and only of files whose hash is pinned."""


def fill(module: nn.Module, path: Path, field: str, strip: str | None = None, sha256: str | None = None) -> None:
    """Put a file's weights into a module; `load_state_dict` judges whether they fit.

    Args:
        field: how params.yaml calls the file, for messages.
        strip: prefix of the names to take, without its last dot; the others are left.
        sha256: of the file; needed for those of torch.save.

    Raises:
        UserError: missing, damaged, another file than the pinned one, or weights that the module does not take.
    """
    weights, at = _read(path, field, sha256), f"params.yaml: {field}: {path}"
    if strip is not None:
        taken = {name.removeprefix(f"{strip}."): weights[name] for name in weights if name.startswith(f"{strip}.")}
        if not taken:
            starts = {name.rpartition(".")[0] for name in weights}
            raise UserError(f'{at}: no name begins with "{strip}."{suggestion(strip, sorted(starts)[:8])}')
        weights = taken
    state = module.state_dict(keep_vars=True)
    _tie(weights, state, at)
    try:
        module.load_state_dict(weights)
    except RuntimeError as error:
        reasons = "; ".join(line.strip(" \t.")[:240] for line in str(error).splitlines()[1:4]) or str(error)[:240]
        hint = " or ".join(f"strip: {prefix}" for prefix in _prefixes(weights, state))
        fix = f"write {hint}" if hint else "check the arguments it is built with"
        raise UserError(f"{at} does not fit {type(module).__name__}: {reasons}; {fix}") from None
    for name, tensor in weights.items():
        wanted = state[name].dtype if name in state else torch.float32  # renamed by a hook of the module: old names
        if not _fits(tensor, wanted):
            raise UserError(f'{at}: "{name}" is {tensor.dtype}, not {wanted}: converted, it would mean something else')


def _tie(weights: dict[str, Tensor], state: Mapping[str, Tensor], at: str) -> None:
    """Give all names of one tensor its weights: files hold tied weights under one of them."""
    first: dict[int, str] = {}
    for name in state:
        if name in weights:
            twin = first.setdefault(id(state[name]), name)
            if twin != name and not torch.equal(weights[name], weights[twin]):
                raise UserError(f'{at}: "{twin}" and "{name}" differ, but are one tensor of the module')
    weights |= {
        name: weights[first[id(state[name])]] for name in state if name not in weights and id(state[name]) in first
    }


def _prefixes(weights: Mapping[str, Tensor], state: Mapping[str, Tensor]) -> list[str]:
    """What precedes most of a module's names in a file."""
    found: Counter[str] = Counter()
    for name in weights:
        parts = name.split(".")
        found.update(".".join(parts[:i]) for i in range(1, len(parts)) if ".".join(parts[i:]) in state)
    return [prefix for prefix, count in found.most_common(3) if 2 * count > len(state)]


def check_dtypes(path: Path) -> None:
    """Refuse a safetensors file with anything but weights in floating point.

    Raises:
        ValueError: it has integers, or floats of 8 bits.
        OSError: it cannot be read.
    """
    try:
        with safe_open(path, "pt") as file:
            found = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118 (no dict)
    except Exception as error:
        raise OSError(f"{path.name} is damaged ({error})") from None
    for name, dtype in found.items():
        if dtype not in ("F64", "F32", "F16", "BF16"):
            raise ValueError(
                f'"{name}" of {path.name} is {dtype}, not a weight: converted, it would mean something else'
            )


def _fits(tensor: Tensor, wanted: torch.dtype) -> bool:
    """Whether a number keeps its meaning: integers and floats of 8 bits are codes that a scale belongs to."""
    if tensor.dtype == wanted:
        return True
    if wanted.is_floating_point:
        return tensor.is_floating_point() and tensor.dtype.itemsize > 1
    return bool(torch.equal(tensor.to(wanted).to(tensor.dtype), tensor))


def _read(path: Path, field: str, pinned: str | None) -> dict[str, Tensor]:
    at = f"params.yaml: {field}: {path}"
    if not path.is_file():
        there = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise UserError(f"{at} is not there{suggestion(path.name, there)}")
    if path.suffix != ".safetensors" and path.suffix not in PICKLED:
        raise UserError(
            f"{at}: weights are read from .safetensors ({', '.join(PICKLED)} too, with their sha256); "
            "save model.state_dict() with safetensors.torch.save_file"
        )
    found = hash_of(path) if pinned or path.suffix in PICKLED else None
    if pinned and found != pinned:
        raise UserError(f"{at} is not the file that sha256 names; if it is the right one, write sha256: {found}")
    if found and not pinned:
        raise UserError(
            f"{at} is of torch.save, and may hold more than tensors: name the file you trust, with sha256: {found}"
        )
    try:
        weights = load_file(path) if path.suffix == ".safetensors" else _unpickled(path)
    except Exception as error:  # the readers fail in many ways on untrusted bytes
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{at} is damaged, or no file of weights ({reason[:200]})") from None
    if not weights:
        raise UserError(f"{at} holds no tensors by name; save model.state_dict()")
    return weights


def _unpickled(path: Path) -> dict[str, Tensor]:
    """The tensors of a file of torch.save; nothing in it is run."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return dict(_tensors(torch.load(path, map_location="cpu", weights_only=True)))
        except Exception as error:
            if "TorchScript" in str(error):
                raise ValueError("it is a TorchScript program: save its state_dict()") from None
            if "Weights only load failed" not in str(error):
                raise
            named = re.search(
                r"GLOBAL (\S+)", str(error)
            )  # the message's advice, to switch the check off, is not passed on
            what = f"an object of {named[1]}" if named else "more than tensors"
            raise ValueError(f"it holds {what}, which is not opened: save model.state_dict() alone") from None


def _tensors(value: Any, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
    """All tensors in dicts within dicts, by their keys with dots between them."""
    if isinstance(value, Tensor):
        yield prefix, value.detach()
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _tensors(inner, f"{prefix}.{key}" if prefix else str(key))

"""Weights of plug-in denoisers, as safetensors."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor, nn

from pipeline.errors import UserError, suggestion


def fill(module: nn.Module, path: Path, field: str) -> None:
    """Put a file's weights into a module.

    Raises:
        UserError: missing, damaged, no safetensors, or names and shapes that are not the module's.
    """
    weights, wanted = _read(path, field), module.state_dict()
    wrong = [
        *(f'"{name}" is missing' for name in wanted if name not in weights),
        *(f'"{name}" is none of its names' for name in weights if name not in wanted),
        *(
            f'"{name}" has shape {tuple(weights[name].shape)}, not {tuple(wanted[name].shape)}'
            for name in wanted
            if name in weights and weights[name].shape != wanted[name].shape
        ),
    ]
    if wrong:
        more = f", and {len(wrong) - 2} more" if len(wrong) > 2 else ""
        raise UserError(
            f"params.yaml: {field}: {path} does not fit {type(module).__name__}: {', '.join(wrong[:2])}{more}; check "
            "the arguments it is built with"
        )
    module.load_state_dict(weights)


def _read(path: Path, field: str) -> dict[str, Tensor]:
    if not path.is_file():
        there = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        raise UserError(f"params.yaml: {field}: {path} is not there{suggestion(path.name, there)}")
    if path.suffix != ".safetensors":
        raise UserError(
            f"params.yaml: {field}: {path} is no .safetensors, the one format that is read; "
            "save model.state_dict() with safetensors.torch.save_file"
        )
    try:
        return load_file(path)
    except Exception as error:  # the reader fails in many ways on untrusted bytes
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"params.yaml: {field}: {path} is damaged, or no file of weights ({reason})") from None

"""Models of diffusers and deepinv as modules; both are optional dependencies."""

from __future__ import annotations

import inspect
import logging
import os
import warnings
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from pipeline.config.plugins import PlugInDeepinv
from pipeline.errors import UserError, suggestion
from pipeline.models.variance_preserving import VariancePreserving
from pipeline.models.weights import check_dtypes
from pipeline.storage.artifacts import read_json

_MADE_BY = "DDPMPipeline(unet, scheduler).save_pretrained(folder)"


def diffusers_model(folder: Path, field: str) -> tuple[VariancePreserving, int, int]:
    """A UNet2DModel with its scheduler, the channels it takes, and what the sides of its frames must be divided by.

    Raises:
        UserError: diffusers is not installed, or the folder does not hold what `save_pretrained` leaves.
    """
    diffusers = _library("diffusers", field)
    unet_folder = folder / "unet" if (folder / "unet").is_dir() else folder
    scheduler_folder = folder / "scheduler" if (folder / "scheduler").is_dir() else folder
    schedule = read_json(scheduler_folder / "scheduler_config.json", _MADE_BY)
    read_json(unet_folder / "config.json", _MADE_BY)
    try:
        unet, scheduler = _from_pretrained(
            diffusers, unet_folder, scheduler_folder, str(schedule.get("_class_name", "DDPMScheduler"))
        )
        whole = unet.config.time_embedding_type == "learned"
        module = VariancePreserving(unet.eval(), scheduler.alphas_cumprod, scheduler.config.prediction_type, whole)
    except (ValueError, TypeError, KeyError, AttributeError, OSError, RuntimeError) as error:
        reason = " ".join(str(error).split()).partition(" You may consider")[0][:400]  # advice for callers of diffusers
        raise UserError(f"params.yaml: {field}: {folder} holds no UNet2DModel that denoises: {reason}") from None
    return module, int(unet.config.in_channels), 2 ** (len(unet.config.block_out_channels) - 1)


def _from_pretrained(
    diffusers: Any, unet_folder: Path, scheduler_folder: Path, scheduler_class: str
) -> tuple[Any, Any]:
    """The network and its scheduler as diffusers reads them; what it would only warn of is an error."""
    if not scheduler_class.endswith("Scheduler"):
        raise ValueError(f"scheduler_config.json is of {scheduler_class}, which is no scheduler")
    for file in sorted(unet_folder.glob("*.safetensors")):
        check_dtypes(file)
    diffusers.logging.set_verbosity(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own use of numpy
        unet, found = diffusers.UNet2DModel.from_pretrained(
            unet_folder, use_safetensors=True, local_files_only=True, low_cpu_mem_usage=False, output_loading_info=True
        )
        scheduler = getattr(diffusers, scheduler_class).from_pretrained(scheduler_folder, local_files_only=True)
    wrong = [
        f"{what.replace('_', ' ')}: {', '.join(map(str, sorted(names)[:3]))}" for what, names in found.items() if names
    ]
    if wrong:
        raise ValueError("; ".join(wrong))
    if unet.config.time_embedding_type == "fourier" or not hasattr(scheduler, "alphas_cumprod"):
        raise ValueError("its timesteps are noise levels (variance-exploding); only variance-preserving ones fit")
    return unet, scheduler


def deepinv_model(cfg: PlugInDeepinv, field: str) -> nn.Module:
    """A denoiser of deepinv; nothing is downloaded unless `arguments` ask for it.

    Raises:
        UserError: deepinv is not installed, or has no such denoiser with such arguments.
    """
    models = _library("deepinv.models", field)
    known = [name for name, value in vars(models).items() if isinstance(value, type) and issubclass(value, nn.Module)]
    if cfg.model not in known:
        raise UserError(
            f'params.yaml: {field}.model: "{cfg.model}" is not in deepinv.models{suggestion(cfg.model, known)}'
        )
    kind = getattr(models, cfg.model)
    arguments = dict(cfg.arguments)
    if "pretrained" in inspect.signature(kind).parameters:
        arguments.setdefault("pretrained", None)
    try:
        model = kind(**arguments)
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        failed = f"{cfg.model} cannot be built ({type(error).__name__}: {reason})"
        raise UserError(f"params.yaml: {field}.arguments: {failed}") from None
    assert isinstance(model, nn.Module)
    return model


def _library(name: str, field: str) -> ModuleType:
    package = name.partition(".")[0]
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing here is fetched
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    _declare_torchvision()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # from their imports of each other
            return import_module(name)
    except ImportError as error:
        raise UserError(
            f"params.yaml: {field}: {package} cannot be imported ({error}); "
            f"pip install --constraint constraints.txt --editable '.[{package}]'"
        ) from None


_DECLARED: list[torch.library.Library] = []
"""An operator lives as long as the library that declared it."""


def _declare_torchvision() -> None:
    """Let torchvision be imported without its compiled operators.

    Both libraries import it. PyPI has it for CUDA only, and next to a torch for the CPU its operators do not load. It
    then fails on these two, which select boxes and which no denoiser uses.
    """
    try:
        import_module("torchvision")
    except ImportError:
        return
    except RuntimeError:
        library = torch.library.Library("torchvision", "FRAGMENT")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _DECLARED.append(library)

"""Models of diffusers and deepinv as modules; both are optional dependencies."""

from __future__ import annotations

import inspect
import os
import warnings
from importlib import import_module
from pathlib import Path
from types import ModuleType

import torch
from torch import nn

from pipeline.config.plugins import PlugInDeepinv
from pipeline.errors import UserError, suggestion
from pipeline.models.variance_preserving import VariancePreserving
from pipeline.models.weights import fill
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
    settings = read_json(unet_folder / "config.json", _MADE_BY)
    schedule = read_json(scheduler_folder / "scheduler_config.json", _MADE_BY)
    try:
        unet = diffusers.UNet2DModel.from_config(settings)
        scheduler = diffusers.DDPMScheduler.from_config(schedule)
        if unet.config.time_embedding_type == "fourier":
            raise ValueError("its timesteps are noise levels (variance-exploding); only variance-preserving ones fit")
        whole = unet.config.time_embedding_type == "learned"
        fill(unet, unet_folder / "diffusion_pytorch_model.safetensors", field)
        module = VariancePreserving(unet.eval(), scheduler.alphas_cumprod, scheduler.config.prediction_type, whole)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"params.yaml: {field}: {folder} holds no UNet2DModel that denoises: {error}") from None
    return module, int(unet.config.in_channels), 2 ** (len(unet.config.block_out_channels) - 1)


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

"""The variants of the training recipe that `benchmarks.study` compares: what differs from it, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from manex.networks.resunet import ResUNet
from manex.training.denoising import BlindTraining
from manex.training.resunet import ResUNetTraining
from manex.training.unet import UNetTraining


class DenseResUNet(ResUNet):
    """The residual UNet with a fully connected layer across the coarsest level."""

    def __init__(self, channels: int, widths: tuple[int, ...], size: int) -> None:
        super().__init__(channels, widths)
        multiple = 2 ** len(self.shrink)
        side = -(-size // multiple)
        self.middle = Dense(self.middle, widths[-1] * side * side)


class Dense(nn.Module):
    """A block, then every position of its output mixed with every other."""

    def __init__(self, block: nn.Module, features: int) -> None:
        super().__init__()
        self.block, self.mix = block, nn.Linear(features, features)
        nn.init.zeros_(self.mix.weight)

    def forward(self, x: Tensor) -> Tensor:
        x = self.block(x)
        return x + self.mix(F.silu(x).flatten(1)).reshape(x.shape)


@dataclass(frozen=True)
class Variant:
    """What differs from the recipe.

    Attributes:
        settings: fields of the training's settings.
        network: (settings, frames' size) -> another network than the settings describe.
        torch_optimiser: parameters -> an optimiser that the library does not offer.
        prepare: network -> what is called in its place (compiled, other memory layout).
        sigmas: (largest, count, generator) -> noise levels of another law.
        patch: side of random crops to train on; 0: whole frames.
    """

    settings: dict[str, Any] = field(default_factory=dict)
    network: Callable[[Any, int], nn.Module] | None = None
    torch_optimiser: Callable[[list[nn.Parameter]], torch.optim.Optimizer] | None = None
    prepare: Callable[[nn.Module], nn.Module] | None = None
    sigmas: Callable[..., Tensor] | None = None
    patch: int = 0


REFERENCE = {"optimiser": "adam", "learning_rate": 0.001, "decay": "halving", "sigma_max": 1.0}
REFERENCE |= {"sigma_law": "quadratic", "batch": 512, "ema": 0.0, "bfloat16": False}
"""The recipe of the paper's reference (Kadkhodaie et al. 2024)."""


def _bias_free(width: int, **settings: Any) -> Variant:
    return Variant(settings={**settings}, network=lambda cfg, size: bias_free(cfg, width).build(1, size))


def bias_free(cfg: ResUNetTraining, width: int) -> UNetTraining:
    """The paper's network, trained as `cfg` says."""
    shared = {name: getattr(cfg, name) for name in BlindTraining.model_fields}
    return UNetTraining(width=width, **shared)


def _log_uniform(largest: float, count: int, generator: torch.Generator) -> Tensor:
    low = 1 / 255
    return low * (largest / low) ** torch.rand(count, 1, 1, 1, generator=generator)


def _torch(make: Callable[..., torch.optim.Optimizer], **settings: Any) -> Variant:
    return Variant(torch_optimiser=lambda parameters: make(parameters, **settings))


def _channels_last(network: nn.Module) -> nn.Module:
    """All features with the channels last in memory; filters stay, since Muon's matrices share their storage."""

    def laid_out(_: nn.Module, __: object, features: Tensor) -> Tensor:
        return features.contiguous(memory_format=torch.channels_last)

    for layer in network.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(laid_out)
    return network


VARIANTS: dict[str, Variant] = {
    "recipe": Variant(),
    "unet_64_reference": _bias_free(64, **REFERENCE),
    "unet_64_adam": _bias_free(64, optimiser="adam", learning_rate=0.001),
    "unet_32_adam": _bias_free(32, optimiser="adam", learning_rate=0.001),
    "unet_32_muon": _bias_free(32),
    "unet_64_muon": _bias_free(64),
    "dense": Variant(network=lambda cfg, size: DenseResUNet(1, cfg.widths, size)),
    "three_levels": Variant({"widths": (32, 64, 128)}),
    "narrow": Variant({"widths": (16, 32, 64, 64)}),
    "wide": Variant({"widths": (48, 96, 192, 192)}),
    "adam": Variant({"optimiser": "adam", "learning_rate": 0.002}),
    "adamw": _torch(torch.optim.AdamW, lr=0.002, weight_decay=0.01),
    "nadam": _torch(torch.optim.NAdam, lr=0.002),
    "sgd": _torch(torch.optim.SGD, lr=0.5, momentum=0.9, nesterov=True),
    "muon_rate_0.01": Variant({"learning_rate": 0.01}),
    "muon_rate_0.04": Variant({"learning_rate": 0.04}),
    "halving": Variant({"decay": "halving"}),
    "batch_16": Variant({"batch": 16}),
    "batch_32": Variant({"batch": 32}),
    "batch_96": Variant({"batch": 96}),
    "batch_192": Variant({"batch": 192}),
    "ema_0": Variant({"ema": 0.0}),
    "ema_0.99": Variant({"ema": 0.99}),
    "sigma_40": Variant({"sigma_max": 40 / 255}),
    "sigma_100": Variant({"sigma_max": 100 / 255}),
    "sigma_quadratic": Variant({"sigma_law": "quadratic"}),
    "sigma_log_uniform": Variant(sigmas=_log_uniform),
    "float32": Variant({"bfloat16": False}),
    "channels_last": Variant(prepare=_channels_last),
    "compile": Variant(prepare=lambda net: torch.compile(net)),  # type: ignore[return-value,unused-ignore]
    "patches_12": Variant(patch=12),
    "decay_0": Variant({"weight_decay": 0.0}),
    "decay_0.03": Variant({"weight_decay": 0.03}),
    "decay_0.1": Variant({"weight_decay": 0.1}),
    "decay_0.3": Variant({"weight_decay": 0.3}),
    "decay_1": Variant({"weight_decay": 1.0}),
}

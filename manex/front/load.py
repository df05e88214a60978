"""The trained networks that come with the package: with pictures.py, all that the library has to do with files."""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import Any

import torch
from safetensors.torch import load as tensors_of

from manex.arrays import Frames
from manex.denoisers.network import NetworkDenoiser
from manex.errors import ManexError
from manex.training.resunet import ResUNetTraining

FOLDER = files("manex") / "bundled"
"""NAME.safetensors: a network in half precision, frames that its training never saw. NAME.json: settings, hash."""
FROM = "network."
"""How the keys of the network's tensors begin."""


class Bundled(NetworkDenoiser):
    """A trained network that comes with the package.

    Attributes:
        name: of the dataset that it was trained on.
        held_out: frames of the dataset that its training never saw, (n, channel, size, size), grey levels in [0, 1].
    """

    held_out: Frames

    def __init__(self, name: str, card: dict[str, Any], tensors: dict[str, torch.Tensor]) -> None:
        cfg = ResUNetTraining(**card["training"])
        network = cfg.build(**card["frames"])
        network.load_state_dict({key.removeprefix(FROM): t.float() for key, t in tensors.items() if FROM in key})
        trained = cfg.finished(network.requires_grad_(False))
        super().__init__(network, "noise", trained.sigma_range, trained.homogeneous, trained.noise)
        self.name = name
        self.register_buffer("held_out", tensors["held_out"] / 255)


def load(name: str) -> Bundled:
    """A trained denoiser that comes with the package; MODEL_CARD.md beside the weights says what it knows.

    Args:
        name: `rotated_mnist`: ten digits, turned through the whole circle. `translated_mnist`: the same digits, shifted
            by up to 6 pixels to the left and right. Frames are grey, 20 x 20 pixels.

    Raises:
        ManexError: no such network, or its file is damaged.

    Example:
        >>> import manex
        >>> denoiser = manex.load("rotated_mnist")
        >>> denoiser.held_out.shape
        torch.Size([200, 1, 20, 20])
        >>> manex.psnr(denoiser, denoiser.held_out, sigma=15 / 255) > 32
        True
    """
    if name not in bundled():
        raise ManexError(f'no network "{name}" comes with manex; there are {", ".join(bundled())}')
    card = json.loads((FOLDER / f"{name}.json").read_bytes())
    weights = (FOLDER / f"{name}.safetensors").read_bytes()
    if hashlib.sha256(weights).hexdigest() != card["sha256"]:
        raise ManexError(f"{FOLDER / name}.safetensors: not the weights of its card; install manex again")
    return Bundled(name, card, tensors_of(weights))


def bundled() -> tuple[str, ...]:
    """The names of the networks that come with the package."""
    return tuple(sorted(file.name.removesuffix(".json") for file in FOLDER.iterdir() if file.name.endswith(".json")))

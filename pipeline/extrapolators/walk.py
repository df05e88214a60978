"""From settings to frames: the one entry point of all extrapolators."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from types import NoneType
from typing import Any

from torch import nn

from pipeline.arrays import Frames
from pipeline.config.methods import Method
from pipeline.denoisers.base import Denoiser
from pipeline.extrapolators.base import ItemNoise, TrainingFrames, WalkState
from pipeline.extrapolators.ddim import ddim_latent
from pipeline.extrapolators.flow import flow, flow_denoise
from pipeline.extrapolators.latent import latent
from pipeline.extrapolators.linear import linear
from pipeline.extrapolators.patches import local_pca, perturbation_pca
from pipeline.extrapolators.pca import pca_linear
from pipeline.extrapolators.prediction import mcvd, rnn_ode
from pipeline.extrapolators.still import persistence, pixel_linear
from pipeline.extrapolators.tangent_flow import tangent_flow
from pipeline.extrapolators.tangent_space import tangent_space
from pipeline.networks.conditional import ConditionalUNet
from pipeline.networks.rnn_ode import RNNODE
from pipeline.networks.vae import VAE

Algorithm = Callable[[Any, Frames, Frames, Any, ItemNoise], Iterator[WalkState]]
"""(model, first, second, settings, noise): states for ever."""

ALGORITHMS: dict[str, tuple[Algorithm, type]] = {
    "linear": (linear, Denoiser),
    "latent": (latent, VAE),
    "tangent_space": (tangent_space, Denoiser),
    "tangent_flow": (tangent_flow, Denoiser),
    "persistence": (persistence, NoneType),
    "pixel_linear": (pixel_linear, NoneType),
    "affine_flow": (flow, NoneType),
    "dense_flow": (flow, NoneType),
    "flow_denoise": (flow_denoise, Denoiser),
    "pca_linear": (pca_linear, TrainingFrames),
    "local_pca": (local_pca, TrainingFrames),
    "perturbation_pca": (perturbation_pca, Denoiser),
    "ddim_latent": (ddim_latent, Denoiser),
    "rnn_ode": (rnn_ode, RNNODE),
    "mcvd": (mcvd, ConditionalUNet),
}
"""By the name in the settings: the algorithm, and the kind of model it takes."""


def walk(cfg: Method, model: nn.Module | None, first: Frames, second: Frames, noise: ItemNoise) -> Iterator[WalkState]:
    """The `cfg.frames` frames that follow two given ones, for every item of the batch at once.

    Args:
        model: of the kind that `ALGORITHMS` names.
        first, second: clean frames in [0, 1].
        noise: a stream for every item.

    Raises:
        TypeError: the model is of another kind.
        WalkError: frames that cannot start a walk, or a walk that left the numbers.
    """
    algorithm, kind = ALGORITHMS[cfg.algorithm]
    if not isinstance(model, kind):
        raise TypeError(f"{cfg.algorithm} takes a model of kind {kind.__name__}, not {type(model).__name__}")
    yield from islice(algorithm(model, first, second, cfg, noise), cfg.frames)

"""Models as the extrapolators take them: trained ones from models/, closed forms from the prepared frames."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import TypeAdapter
from torch import nn

from pipeline.config.methods import Method
from pipeline.config.own import OwnDenoiser
from pipeline.config.training import Model, OnClips, VAETraining
from pipeline.config.walks import FRAMES, Denoised
from pipeline.denoisers.base import Denoiser
from pipeline.denoisers.mixture import DiracMixture
from pipeline.denoisers.non_local_means import NonLocalMeans
from pipeline.denoisers.tikhonov import Tikhonov
from pipeline.denoisers.total_variation import TotalVariation
from pipeline.denoisers.wavelet import Wavelet
from pipeline.denoisers.wiener import Wiener
from pipeline.errors import UserError
from pipeline.extrapolators.base import TrainingFrames
from pipeline.networks.build import build_network
from pipeline.paths import Paths
from pipeline.stages.artifacts import read_json, read_tensors
from pipeline.stages.own import load_own
from pipeline.stages.prepared import Prepared
from pipeline.training.objectives import trained_denoiser

UNTRAINED: dict[str, Callable[[Prepared], Denoiser]] = {
    "oracle": lambda frames: DiracMixture(frames.dense),
    "memoriser": lambda frames: DiracMixture(frames.training_frames),
    "wiener": lambda frames: Wiener(frames.training_frames),
    "tikhonov": lambda frames: Tikhonov(),
    "total_variation": lambda frames: TotalVariation(),
    "wavelet": lambda frames: Wavelet(),
    "non_local_means": lambda frames: NonLocalMeans(),
}
"""The exact denoisers of the dense manifold and of the training frames alone, of a Gaussian fitted to these; and the
classical ones, which have seen no frame."""


def load_model(dataset: str, method: str, cfg: Method, frames: Prepared, paths: Paths, device: str) -> nn.Module | None:
    """The denoiser, other network or training frames that a method uses, ready to be used; None if it uses none.

    Raises:
        UserError: missing or damaged weights, or an own denoiser that is not fit for use.
    """
    if isinstance(cfg, Denoised) and isinstance(cfg.denoiser, OwnDenoiser):
        field = f"extrapolate.{dataset}.{method}.denoiser"
        return load_own(cfg.denoiser, frames.videos[:, :2].flatten(0, 1), cfg.sigma, paths, device, field)
    return load_named(dataset, cfg.model_name, frames, paths, device)


def load_named(dataset: str, name: str, frames: Prepared, paths: Paths, device: str) -> nn.Module | None:
    """What has a name under `models`, or is a closed form or the training frames; None for the name "".

    Raises:
        UserError: missing or damaged weights.
    """
    if not name:
        return None
    if name == FRAMES:
        return TrainingFrames(frames.training_frames.to(device))
    if name in UNTRAINED:
        return UNTRAINED[name](frames).to(device)
    folder, made_by = paths.model(dataset, name), f"manex train {dataset} {name}"
    facts = read_json(folder / "model.json", made_by, ("settings", "frames"))
    weights = read_tensors(folder / "weights.safetensors", made_by)
    try:
        trained: Model = TypeAdapter(Model).validate_python(facts["settings"])
        network = build_network(trained, **facts["frames"])
        network.load_state_dict(weights)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{folder}: weights and model.json do not fit ({reason}); make them again: {made_by}") from None
    shape = {"channels": frames.videos.shape[2], "size": frames.videos.shape[-1]}
    if facts["frames"] != shape:
        raise UserError(f"{folder}: trained on frames of {facts['frames']}, not {shape}; make it again with: {made_by}")
    network.to(device).eval().requires_grad_(False)
    return network if isinstance(trained, VAETraining | OnClips) else trained_denoiser(network, trained)

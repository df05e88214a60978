"""Models as the extrapolators take them: trained ones from models/, closed forms from the prepared frames."""

from __future__ import annotations

from pydantic import TypeAdapter, ValidationError
from torch import nn

from pipeline.config.methods import CLOSED_FORMS, FRAMES
from pipeline.config.training import Model, VAETraining
from pipeline.denoisers.mixture import DiracMixture
from pipeline.errors import UserError
from pipeline.extrapolators.base import TrainingFrames
from pipeline.networks.build import build_network
from pipeline.paths import Paths
from pipeline.stages.artifacts import read_json, read_tensors
from pipeline.stages.prepared import Prepared
from pipeline.training.loop import trained_denoiser


def load_model(dataset: str, name: str, frames: Prepared, paths: Paths, device: str) -> nn.Module | None:
    """A denoiser, a VAE or the training frames, ready to be used; None for the name "": a method without a model.

    `oracle` is the exact denoiser of the dense manifold, `memoriser` that of the training frames alone.

    Raises:
        UserError: missing or damaged weights.
    """
    if not name:
        return None
    if name == FRAMES:
        return TrainingFrames(frames.training_frames.to(device))
    if name in CLOSED_FORMS:
        atoms = frames.dense if name == "oracle" else frames.training_frames
        return DiracMixture(atoms.to(device))
    folder, made_by = paths.model(dataset, name), f"manex train {dataset} {name}"
    facts = read_json(folder / "model.json", made_by)
    weights = read_tensors(folder / "weights.safetensors", made_by)
    try:
        cfg: Model = TypeAdapter(Model).validate_python(facts["settings"])
        network = build_network(cfg, **facts["frames"])
        network.load_state_dict(weights)
    except (KeyError, TypeError, RuntimeError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{folder}: weights and model.json do not fit ({reason}); make them again: {made_by}") from None
    network.to(device).eval().requires_grad_(False)
    return network if isinstance(cfg, VAETraining) else trained_denoiser(network, cfg)

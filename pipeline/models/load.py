"""Models as walks and analyses take them: trained ones from models/, closed forms made for a dataset, plug-ins."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from manex.datasets.dataset import Dataset
from manex.noises.base import Noise
from pipeline.config.entries import Skipped, named, parse_entry
from pipeline.config.methods import MethodEntry
from pipeline.config.names import closed_form, closed_forms
from pipeline.config.training import TrainingEntry
from pipeline.errors import UserError
from pipeline.paths import Paths
from pipeline.storage.artifacts import read_json, read_tensors
from pipeline.storage.origins import check_origins

PLUG_IN = "pipeline.models.plugin:load_plug_in"
UNSHUFFLED = "manex.denoisers.permuted:unshuffled"
"""Named, not imported, so that they are not part of the code of cells that need neither."""


def load_model(
    name: str, method: str, entry: MethodEntry, dataset: Dataset, paths: Paths, device: str
) -> nn.Module | None:
    """The denoiser or other network that a method uses, ready to be used; None if it uses none.

    Args:
        name: of the dataset.

    Raises:
        UserError: missing or damaged weights, or a plug-in denoiser that is not fit for use.
    """
    model = _loaded(name, method, entry, dataset, paths, device)
    fitted: nn.Module | None = entry.settings.fitted(model, dataset.training_frames)
    return fitted


def _loaded(
    name: str, method: str, entry: MethodEntry, dataset: Dataset, paths: Paths, device: str
) -> nn.Module | None:
    if entry.plug_in:
        field, sigma = f"extrapolate.{name}.{method}.denoiser", getattr(entry.settings, "sigma", 0.0)
        frames = dataset.videos[:, :2].flatten(0, 1) if len(dataset.videos) else dataset.frames
        plugged: nn.Module = named(PLUG_IN)(entry.plug_in, frames, sigma, paths, device, field)
        return plugged
    return load_named(name, entry.model_name, dataset, paths, device, entry.law)


def read_for(name: str, entry: MethodEntry, paths: Paths) -> list[Path]:
    """What `load_model` reads: the folder of a trained network; the weights and the code of a plug-in."""
    if not entry.plug_in:
        return [paths.model(name, entry.model_name)] if entry.model_name else []
    code, _, _ = str(getattr(entry.plug_in, "target", "")).partition(":")
    files = [paths.plug_ins / code] if code.endswith(".py") else []
    return [*files, *(paths.root / file for file in entry.plug_in.files)]


def load_named(
    name: str, model: str, dataset: Dataset, paths: Paths, device: str, law: Noise | None = None
) -> nn.Module | None:
    """A model by its name under `models` (or FAMILY/MEMBER), or a closed form; None for the name "".

    Args:
        law: of a closed form's noise; None: white. A trained model knows its own.

    Raises:
        UserError: missing or damaged weights, or a closed form that cannot be made.
    """
    if not model:
        return None
    if model in closed_forms():
        try:
            made: nn.Module = named(closed_form(model)).of(dataset, *([law] if law else []))
        except ValueError as error:
            raise UserError(f"{name}: {model}: {error}") from None
        return made.to(device).eval()
    check_origins(paths, paths.model(name, model))
    folder, made_by = paths.model(name, model), f"manex train {name} {model.partition('/')[0]}"
    facts = read_json(folder / "model.json", made_by, ("settings", "frames"))
    weights = read_tensors(folder / "weights.safetensors", made_by)
    try:
        entry = parse_entry(TrainingEntry, facts["settings"], "settings")
        if isinstance(entry, Skipped):
            raise ValueError("the settings are of a model that was skipped")
        network = entry.settings.build(**facts["frames"])
        network.load_state_dict(weights)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{folder}: weights and model.json do not fit ({reason}); make them again: {made_by}") from None
    if facts["frames"] != dataset.shape:
        found = f"trained on frames of {facts['frames']}, not {dataset.shape}"
        raise UserError(f"{folder}: {found}; make it again with: {made_by}")
    network.to(device).eval().requires_grad_(False)
    finished = entry.settings.finished(network)
    seed = facts.get("subset", {}).get("shuffle")
    return finished if seed is None else named(UNSHUFFLED)(finished, seed, dataset.shape["size"]).to(device)

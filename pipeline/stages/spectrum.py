"""spectrum: the top eigenspace of the denoiser's Jacobian along one walk."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from pipeline.config.methods import MethodEntry, TangentFlow
from pipeline.config.own import OwnDenoiser
from pipeline.denoisers.base import Denoiser
from pipeline.geometry.eigen import top_eigenspace
from pipeline.geometry.products import Jacobian
from pipeline.paths import Paths
from pipeline.settings import settings
from pipeline.stages.absent import absence, write_absence
from pipeline.stages.artifacts import replacing_folder, write_json, write_tensors
from pipeline.stages.models import load_model
from pipeline.stages.prepared import load_prepared
from pipeline.stages.records import recorded
from pipeline.stages.trials import VIDEO, load_trials

FRAMES, VALUES, VECTORS = 7, 12, 4
"""Frames looked at, eigenvalues and eigenvectors kept of each."""


def spectrum(dataset: str, methods: Mapping[str, MethodEntry], paths: Paths) -> None:
    """Write data/spectrum/DATASET: eigenpairs along the walk of the first `tangent_flow` with a network."""
    device = settings().prepare_torch()
    output = paths.spectrum(dataset)
    walks = {
        name: cfg
        for name, cfg in methods.items()
        if isinstance(cfg, TangentFlow)
        and (isinstance(cfg.denoiser, OwnDenoiser) or (paths.model(dataset, cfg.denoiser) / "model.json").is_file())
        and not absence(paths.extrapolated(dataset, name))
    }
    if not walks:
        write_absence(output, "no tangent_flow with a trained or an own denoiser was run")
        return
    method, cfg = next(iter(walks.items()))
    with recorded(paths, "spectrum", dataset, {"method": method, "sigma_255": cfg.sigma_255}):
        frames = load_prepared(dataset, paths)
        model = load_model(dataset, method, cfg, frames, paths, device)
        assert isinstance(model, Denoiser)
        walked = load_trials(dataset, method, paths)[0][0]
        video = walked[min(VIDEO, len(walked) - 1)]
        chosen = torch.linspace(0, len(video) - 1, min(FRAMES, len(video))).round().int().tolist()
        points = video[chosen].to(device)
        noise = torch.randn(points.shape, generator=torch.Generator().manual_seed(0)).to(points)
        jacobian = Jacobian(model.at(cfg.sigma), points + cfg.sigma * noise)
        space = top_eigenspace(jacobian, min(VALUES, jacobian.dimension), tolerance=0.05, max_products=100)
        with replacing_folder(output, sealed=True) as folder:
            tensors = {"values": space.values, "vectors": space.vectors[:, :VECTORS], "frames": points}
            write_tensors(folder / "spectrum.safetensors", tensors)
            facts = {"method": method, "denoiser": cfg.denoiser_label, "sigma_255": cfg.sigma_255, "numbers": chosen}
            write_json(folder / "spectrum.json", facts)

"""Make the networks that come with manex, and compare their walks with those of the full weights.

    python -m benchmarks.bundle [NAME ...]

Needs the profile `cpu`, trained. Writes manex/bundled/NAME.safetensors (the weights in half precision, the held-out
frames) and NAME.json, its settings and hash. Prints, for MODEL_CARD.md, PSNR on held-out frames and DTW-SSID of
`tangent_flow` with the settings of params.yaml, on two development seeds: never on those that Table 1 reports.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import torch
from safetensors.torch import save

import manex
from manex.datasets.dataset import Dataset
from manex.denoisers.base import Denoiser
from manex.front.load import FROM, load
from manex.metrics.psnr import psnr
from manex.metrics.scores import score
from pipeline.config.methods import MethodEntry
from pipeline.config.params import Params
from pipeline.config.params import load as load_params
from pipeline.models.load import load_named
from pipeline.paths import Paths
from pipeline.stages.extrapolate import as_videos, states
from pipeline.storage.artifacts import read_json
from pipeline.storage.prepared import load_prepared

NAMES = ("rotated_mnist", "translated_mnist")
MODEL, METHOD = "resunet", "tangent_flow"
DEVELOPMENT_SEEDS = (100, 101)
TO = Path(manex.__file__).parent / "bundled"


def bundle(name: str, full: Denoiser, dataset: Dataset, params: Params, paths: Paths) -> None:
    """Write one network and its card."""
    halves = {FROM + key: tensor.half() for key, tensor in full.module.state_dict().items()}
    held_out = (255 * dataset.held_out_frames).round().to(torch.uint8)
    weights = save({**halves, "held_out": held_out})
    facts = read_json(paths.model(name, MODEL) / "model.json", f"manex train {name} {MODEL}")
    settings = params.training(name, MODEL).settings.model_dump(mode="json")
    card = {"training": settings, "frames": facts["frames"], "sha256": hashlib.sha256(weights).hexdigest()}
    (TO / f"{name}.safetensors").write_bytes(weights)
    (TO / f"{name}.json").write_text(json.dumps(card, indent=1, sort_keys=True) + "\n")


def walked(denoiser: Denoiser, dataset: Dataset, entry: MethodEntry, seed: int) -> float:
    """DTW-SSID of one trial, the mean over the videos."""
    keys = [(seed, video) for video in range(len(dataset.videos))]
    given = dataset.videos[:, :2]
    videos = as_videos(given, list(states(entry, denoiser, given, keys)))
    scores = [found.numbers["dtw_ssid"] for found in score(dataset, videos)]
    return sum(scores) / len(scores)


def main() -> None:
    """Make some of them, or all, and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; default: all")
    paths, names = Paths(), parser.parse_args().names or NAMES
    params = load_params(paths.params)
    print("| network | weights | held-out PSNR | " + " | ".join(f"seed {seed}" for seed in DEVELOPMENT_SEEDS) + " |")
    for name in names:
        dataset, entry = load_prepared(name, paths), params.method(name, METHOD)
        full = load_named(name, MODEL, dataset, paths, "cpu")
        bundle(name, full, dataset, params, paths)
        for kind, denoiser in (("full", full), ("half", load(name))):
            known = psnr(denoiser, dataset.held_out_frames, 15 / 255)
            scores = [f"{walked(denoiser, dataset, entry, seed):.4f}" for seed in DEVELOPMENT_SEEDS]
            print(f"| `{name}` | {kind} | {known:.2f} dB | {' | '.join(scores)} |", flush=True)


if __name__ == "__main__":
    main()

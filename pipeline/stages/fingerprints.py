"""fingerprints: what every own denoiser is made of, a file a cell, so that DVC runs the cells again that it concerns.

The cells of dvc.yaml cannot name the files that params.yaml names. This stage depends on all of data/own, and
`extrapolate` on what it writes about its cell, which changes where one of the files does that the cell may read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from pathlib import Path

from pipeline.config.own import FOLDER, OwnDenoiser
from pipeline.config.params import Params
from pipeline.config.walks import Denoised
from pipeline.paths import Paths
from pipeline.stages.artifacts import replacing_folder, write_json


def fingerprints(params: Params, paths: Paths) -> None:
    """Write data/fingerprints/DATASET/METHOD.json: sha256 by file; empty where the denoiser is not an own one.

    A cell may read any file of data/own but the weights that other cells alone name.
    """
    hashes = {path: hashlib.sha256((paths.root / path).read_bytes()).hexdigest() for path in paths.own_files()}
    cells = {(d, m): _weights(params, d, m) for d in params.datasets for m in params.methods}
    every = {weights for named in cells.values() for weights in named or ()}
    with replacing_folder(paths.fingerprints) as folder:
        for (dataset, method), named in cells.items():
            own = {} if named is None else {p: h for p, h in hashes.items() if not _lies_in(p, every - named)}
            told = {path.relative_to(FOLDER).as_posix(): value for path, value in own.items()}
            write_json(folder / dataset / f"{method}.json", told)


def _weights(params: Params, dataset: str, method: str) -> frozenset[Path] | None:
    """The weights that a cell with an own denoiser names; None for any other cell."""
    cfg = params.method(dataset, method)
    if isinstance(cfg, Denoised) and isinstance(cfg.denoiser, OwnDenoiser):
        return frozenset(cfg.denoiser.files)
    return None


def _lies_in(path: Path, weights: Collection[Path]) -> bool:
    """Whether a file is one of the weights, or in a folder of weights."""
    return any(path.is_relative_to(other) for other in weights)

"""fingerprints: what every own denoiser is made of, a file a cell, so that DVC runs the cells again that it concerns.

The cells of dvc.yaml cannot name the files that params.yaml names. This stage depends on all of data/own, and
`extrapolate` on what it writes about its cell, which changes where one of the files does that the cell may read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from itertools import product
from pathlib import Path

from pipeline.config.own import FOLDER
from pipeline.config.params import Params
from pipeline.paths import Paths
from pipeline.stages.artifacts import replacing_folder, write_json


def fingerprints(params: Params, paths: Paths) -> None:
    """Write data/fingerprints/DATASET/METHOD.json: sha256 by file; empty where the denoiser is not an own one.

    A cell may read any file of data/own but the weights that other cells alone name.
    """
    hashes = {path: hashlib.sha256((paths.root / path).read_bytes()).hexdigest() for path in paths.own_files()}
    named = {(dataset, method): frozenset(own.files) for dataset, method, own in params.own_denoisers()}
    every = frozenset().union(*named.values())
    with replacing_folder(paths.fingerprints) as folder:
        for cell in product(params.datasets, params.methods):
            others = every - named.get(cell, frozenset())
            read = [path for path in hashes if cell in named and not _lies_in(path, others)]
            told = {path.relative_to(FOLDER).as_posix(): hashes[path] for path in read}
            write_json(folder / cell[0] / f"{cell[1]}.json", told)


def _lies_in(path: Path, weights: Collection[Path]) -> bool:
    """Whether a file is one of the weights, or in a folder of weights."""
    return any(path.is_relative_to(other) for other in weights)
